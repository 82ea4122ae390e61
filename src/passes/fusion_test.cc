// What the fusions take over, and where they decline.
#include "nn/layers.h"
#include "ops/linear.h"
#include "ops/picture_grids.h"
#include "passes/pass.h"
#include "support/after_passes.h"

namespace vernier {
namespace {

using testing::OpsAfter;

Node& NodeOf(Graph& graph, const char* name) {
  return graph.mutable_nodes()[graph.IndexOf(graph.value(graph.Find(name)).producer)];
}

Graph GatedMlp() {
  Graph graph("gated");
  const Value x = graph.Input("x", DType::kF32, {2, 3, 16});
  graph.MarkOutput(nn::GatedMlp(x, Path("mlp"), {24, 16}, ActivationKind::kGeluTanh), "y");
  return graph;
}

TEST(FuseGates, MakesOneProductOfGateAndValue) {
  Graph graph = GatedMlp();
  EXPECT_THAT(OpsAfter(graph, {FuseGates, FuseProjections, FuseEpilogue}),
              ::testing::ElementsAre("FusedLinear", "FusedLinear"));
  const Node& fused = graph.nodes().front();
  EXPECT_TRUE(fused.attributes.get<FusedLinear>().gated);
  EXPECT_EQ(fused.attributes.get<FusedLinear>().activation, ActivationKind::kGeluTanh);
  EXPECT_EQ(graph.value(fused.outputs[0]).name, "mlp.dropout");
  EXPECT_EQ(graph.value(fused.inputs[1]).name, "mlp.wi_0.weight");
  EXPECT_EQ(graph.value(fused.outputs[0]).type.shape, (Dims{2, 3, 24}));
}

TEST(FuseGates, LeavesAGateAloneThatIsReadElsewhereOrOfAnotherPrecision) {
  Graph read = GatedMlp();
  read.MarkOutput({&read, read.Find("mlp.act")}, "gate");
  EXPECT_THAT(OpsAfter(read, {FuseGates}), ::testing::Contains("Binary"));
  Graph mixed = GatedMlp();
  NodeOf(mixed, "mlp.wi_1").precision.multiply = DType::kBF16;
  EXPECT_THAT(OpsAfter(mixed, {FuseGates}), ::testing::Contains("Binary"));
}

struct Projections {
  Graph graph{"projections"};
  Value x = graph.Input("x", DType::kF32, {2, 3, 16});
  Value q = nn::Linear(x, Path("q"), 16);
  Value k = nn::Linear(x, Path("k"), 8, false);
  Value v = nn::Linear(x, Path("v"), 8);

  Projections() {
    graph.MarkOutput(q, "q_out");
    graph.MarkOutput(k, "k_out");
    graph.MarkOutput(v, "v_out");
  }
};

TEST(FuseProjections, JoinsLinearsOfOneInput) {
  Projections p;
  EXPECT_THAT(OpsAfter(p.graph, {FuseProjections}),
              ::testing::ElementsAre("FusedLinear", "Slice", "Slice", "Slice"));
  const Node& fused = p.graph.nodes().front();
  const auto& attributes = fused.attributes.get<FusedLinear>();
  EXPECT_EQ(attributes.parts, 3);
  EXPECT_EQ(fused.inputs[static_cast<size_t>(attributes.bias(1))], kNoValue);
  EXPECT_EQ(p.graph.value(fused.outputs[0]).type.shape, (Dims{2, 3, 32}));
}

TEST(FuseProjections, LeavesOutTheOneOfAnotherPrecision) {
  Projections p;
  NodeOf(p.graph, "k").precision.multiply = DType::kBF16;
  EXPECT_THAT(OpsAfter(p.graph, {FuseProjections}),
              ::testing::UnorderedElementsAre("FusedLinear", "Slice", "Slice", "Linear"));
}

TEST(FuseProjections, LeavesOutTheOneOfAnotherBranch) {
  Projections p;
  NodeOf(p.graph, "v").branch = 1;
  EXPECT_THAT(OpsAfter(p.graph, {FuseProjections}),
              ::testing::UnorderedElementsAre("FusedLinear", "Slice", "Slice", "Linear"));
}

TEST(FuseProjections, LeavesComputedWeightsAndBiasesAlone) {
  Graph graph("computed");
  const Value x = graph.Input("x", DType::kF32, {2, 4});
  const Value weight = graph.Input("w", DType::kF32, {4, 4});
  const Value bias = graph.Input("b", DType::kF32, {4});
  const Value stored = graph.Weight(Path("stored"), Shape{4, 4});
  for (const auto& inputs : {std::vector{x, weight}, {x, weight}, {x, stored, bias}, {x, stored}}) {
    graph.MarkOutput(graph.Add(kLinear, Attributes::Of(Linear{}), inputs, Path("fc")), "y");
  }
  EXPECT_THAT(OpsAfter(graph, {FuseProjections, FuseEpilogue}),
              ::testing::ElementsAre("Linear", "Linear", "Linear", "FusedLinear"));
}

// Linear, activation, layer scale and residual, as far as `marked` leaves them free.
Graph Chain(const char* marked) {
  Graph graph("chain");
  const Value x = graph.Input("x", DType::kF32, {2, 16});
  Value h = nn::Linear(x, Path("fc"), 16);
  h = nn::Activate(h, ActivationKind::kGelu, Path("act"));
  h = nn::LayerScale(h, Path("gamma"), Path("scaled"));
  graph.MarkOutput(nn::Add(x, h, Path("sum")), "y");
  if (marked != nullptr) graph.MarkOutput({&graph, graph.Find(marked)}, "seen");
  return graph;
}

TEST(FuseEpilogue, TakesOverActivationScaleAndResidual) {
  Graph graph = Chain(nullptr);
  EXPECT_THAT(OpsAfter(graph, {FuseEpilogue}), ::testing::ElementsAre("FusedLinear"));
  const Node& fused = graph.nodes().front();
  const auto& attributes = fused.attributes.get<FusedLinear>();
  EXPECT_EQ(attributes.activation, ActivationKind::kGelu);
  EXPECT_EQ(fused.inputs[static_cast<size_t>(attributes.scale())], graph.Find("gamma"));
  EXPECT_EQ(fused.inputs[static_cast<size_t>(attributes.residual())], graph.Find("x"));
  EXPECT_EQ(fused.outputs[0], graph.Find("y"));
  EXPECT_EQ(graph.value(graph.Find("act")).producer, -1);
}

TEST(FuseEpilogue, StopsAtAValueThatIsAnOutput) {
  Graph at_linear = Chain("fc"), at_activation = Chain("act");
  EXPECT_THAT(OpsAfter(at_linear, {FuseEpilogue}),
              ::testing::ElementsAre("FusedLinear", "Activation", "Binary", "Binary"));
  EXPECT_THAT(OpsAfter(at_activation, {FuseEpilogue}),
              ::testing::ElementsAre("FusedLinear", "Binary", "Binary"));
}

TEST(FuseEpilogue, StopsAtAValueWithTwoReaders) {
  Graph graph = Chain(nullptr);
  graph.MarkOutput(nn::Activate({&graph, graph.Find("act")}, ActivationKind::kTanh, Path("other")),
                   "other");
  EXPECT_THAT(OpsAfter(graph, {FuseEpilogue}),
              ::testing::ElementsAre("FusedLinear", "Binary", "Binary", "Activation"));
  Graph twice("twice");
  const Value h = nn::Linear(twice.Input("x", DType::kF32, {2, 16}), Path("fc"), 16);
  twice.MarkOutput(nn::Add(h, h, Path("doubled")), "y");
  EXPECT_THAT(OpsAfter(twice, {FuseEpilogue}), ::testing::ElementsAre("FusedLinear", "Binary"));
}

TEST(FuseEpilogue, KeepsTheOrderOfWhatItTakesOver) {
  Graph graph("order");  // the product is finished by the activation alone
  const Value x = graph.Input("x", DType::kF32, {2, 16});
  Value h = nn::Add(nn::Linear(x, Path("fc"), 16), x, Path("sum"));
  h = nn::Activate(h, ActivationKind::kRelu, Path("act"));
  graph.MarkOutput(nn::LayerScale(h, Path("gamma"), Path("scaled")), "y");
  EXPECT_THAT(OpsAfter(graph, {FuseEpilogue}),
              ::testing::ElementsAre("FusedLinear", "Activation", "Binary"));
}

TEST(FuseEpilogue, TakesNoScaleThatIsComputedAndNoResidualThatIsRepeated) {
  Graph graph("declined");
  const Value x = graph.Input("x", DType::kF32, {2, 16});
  const Value row = graph.Input("row", DType::kF32, {16});
  const Attributes multiply = Attributes::Of(Binary{BinaryKind::kMul});
  graph.MarkOutput(
      graph.Add(kBinary, multiply, {nn::Linear(x, Path("a"), 16), row}, Path("scaled")), "scaled");
  graph.MarkOutput(nn::Add(nn::Linear(x, Path("b"), 16), row, Path("sum")), "sum");
  EXPECT_THAT(OpsAfter(graph, {FuseEpilogue}),
              ::testing::ElementsAre("FusedLinear", "Binary", "FusedLinear", "Binary"));
}

struct Rotary {
  Graph graph{"rotary"};
  Value q, k;

  // Queries and keys of two heads; the keys turn by tables of another base when `other` is set.
  explicit Rotary(bool other_tables = false, bool other_pairs = false) {
    const Value x = graph.Input("x", DType::kF32, {2, 4, 16});
    RopeTable2d table{.rows = 2, .columns = 2, .head_dim = 8};
    const auto tables = graph.AddMany(kRopeTable2d, Attributes::Of(table), {}, Path("tables"));
    auto key_tables = tables;
    if (other_tables) {
      table.theta = 100;
      key_tables = graph.AddMany(kRopeTable2d, Attributes::Of(table), {}, Path("others"));
    }
    q = nn::Rotate(x, tables[0], tables[1], {2, true}, Path("q"));
    k = nn::Rotate(x, key_tables[0], key_tables[1], {2, !other_pairs}, Path("k"));
    const Attention attention{.heads = 2, .kv_heads = 2, .scale = 1};
    graph.MarkOutput(nn::Attention(q, k, x, attention, Path("attention")), "y");
  }

  bool Fuses() {
    const auto ops = OpsAfter(graph, {FuseRotary});
    return std::ranges::count(ops, "RotaryAttention") == 1 && std::ranges::count(ops, "Rope") == 0;
  }
};

TEST(FuseRotary, TakesOverTheRotationOfQueriesAndKeys) { EXPECT_TRUE(Rotary().Fuses()); }

TEST(FuseRotary, TakesOverTheRotationOfPackedTokensToo) {
  Graph graph("packed");
  const Dim patches = Dim::Symbol("patches");
  const Value grids = graph.Input("grids", DType::kI32, {Dim::Symbol("pictures"), 3});
  const auto tables =
      graph.AddMany(kGridRotary, Attributes::Of(GridRotary{patches, 8, 10000}), {grids}, Path("t"));
  const Value segments =
      graph.Add(kGridSegments, Attributes::Of(GridSegments{patches}), {grids}, Path("segments"));
  const Value x = graph.Input("x", DType::kF32, {patches, 16});
  const Value q = nn::Rotate(x, tables[0], tables[1], {2, false}, Path("q"));
  const Value k = nn::Rotate(x, tables[0], tables[1], {2, false}, Path("k"));
  const Attention attention{.heads = 2, .kv_heads = 2, .scale = 1};
  graph.MarkOutput(nn::PackedAttention(q, k, x, segments, attention, Path("attention")), "y");
  EXPECT_THAT(OpsAfter(graph, {FuseRotary}),
              ::testing::ElementsAre("GridRotary", "GridSegments", "RotaryAttention"));
}

TEST(FuseRotary, DeclinesTablesOrPairsThatDiffer) {
  EXPECT_FALSE(Rotary(true).Fuses());
  EXPECT_FALSE(Rotary(false, true).Fuses());
}

TEST(FuseRotary, DeclinesARotationThatIsReadElsewhere) {
  Rotary output;
  output.graph.MarkOutput(output.q, "q");
  EXPECT_FALSE(output.Fuses());
  Rotary read;
  read.graph.MarkOutput(nn::Activate(read.k, ActivationKind::kRelu, Path("act")), "act");
  EXPECT_FALSE(read.Fuses());
}

TEST(FuseRotary, DeclinesAttentionWithABias) {
  Rotary rotary;
  Node& node = NodeOf(rotary.graph, "attention");
  node.inputs.push_back(rotary.graph.Input("bias", DType::kF32, {2, 4, 4}).id);
  EXPECT_FALSE(rotary.Fuses());
}

TEST(DropUnused, LeavesOutWhatNoOutputNeeds) {
  Graph graph = Chain(nullptr);
  nn::Activate({&graph, graph.Find("x")}, ActivationKind::kRelu, Path("unread"));
  const int unread = graph.Find("unread");
  EXPECT_EQ(OpsAfter(graph, {DropUnused}).size(), 4u);
  EXPECT_EQ(graph.value(unread).producer, -1);
  EXPECT_EQ(graph.Find("unread"), unread);
}

TEST(DropUnused, KeepsWhatWritesAState) {
  Graph graph("state");
  const Value cache = graph.State("cache", {DType::kF32, {1, 64, 8}});
  const Value x = graph.Input("x", DType::kF32, {1, 2, 8});
  graph.Add(kKvAppend, Attributes::Of(KvAppend{}), {cache, x, x}, Path("append"));
  EXPECT_THAT(OpsAfter(graph, {DropUnused}), ::testing::ElementsAre("KvAppend"));
}

}  // namespace
}  // namespace vernier
