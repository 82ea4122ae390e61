#include "graph/graph.h"

#include "graph/printer.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/rope.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Value AddRelu(Graph& graph, Value x, const Path& at) {
  return graph.Add(kActivation, Attributes::Of(ActivationOp{ActivationKind::kRelu}), {x}, at);
}

Value AddLinear(Graph& graph, Value x, const Path& at, int64_t out) {
  const Value weight = graph.Weight(at / "weight", Shape{out, x.dim(-1).constant()});
  return graph.Add(kLinear, Attributes::Of(Linear{}), {x, weight}, at);
}

// x -> fc -> act, marked "y"; the node "unread" is needed by nothing.
Graph SmallGraph() {
  Graph graph("small");
  const Value x = graph.Input("x", DType::kF32, {Dim::Symbol("batch"), 4});
  const Value h = AddLinear(graph, x, Path("fc"), 8);
  const Value y = AddRelu(graph, h, Path("act"));
  AddRelu(graph, x, Path("unread"));
  graph.MarkOutput(y, "y");
  return graph;
}

TEST(Path, JoinsModulesByDotsAndWordsWithout) {
  const Path layer = Path("encoder.layer") / 3;
  EXPECT_EQ(layer.text(), "encoder.layer.3");
  EXPECT_EQ((layer / "output.dense").text(), "encoder.layer.3.output.dense");
  EXPECT_EQ((layer / "#residual").text(), "encoder.layer.3#residual");
  EXPECT_EQ((Path() / "conv1").text(), "conv1");
}

TEST(Graph, FindsValuesByNameAliasAndOutputName) {
  Graph graph = SmallGraph();
  const int fc = graph.Find("fc");
  ASSERT_NE(fc, kNoValue);
  graph.AddAlias({&graph, fc}, "mlp.c_fc");
  graph.AddAlias({&graph, fc}, "mlp.c_fc");
  graph.AddAlias({&graph, fc}, "fc");
  EXPECT_EQ(graph.Find("mlp.c_fc"), fc);
  EXPECT_THAT(graph.value(fc).aliases, ElementsAre("mlp.c_fc"));
  EXPECT_EQ(graph.Find("y"), graph.Find("act"));
  EXPECT_EQ(graph.Find("fc.weight"), graph.weights().front());
  EXPECT_EQ(graph.Find("nothing"), kNoValue);
}

TEST(Graph, NumbersRepeatedNames) {
  Graph graph("repeats");
  const Value x = graph.Input("x", DType::kF32, {2});
  const Value first = AddRelu(graph, x, Path("act"));
  const Value second = AddRelu(graph, first, Path("act"));
  EXPECT_EQ(graph.value(first.id).name, "act");
  EXPECT_EQ(graph.value(second.id).name, "act#2");
}

TEST(Graph, NamesFurtherOutputsByNumber) {
  Graph graph("outputs");
  const RopeTable2d table{.rows = 2, .columns = 2, .head_dim = 8};
  const auto tables = graph.AddMany(kRopeTable2d, Attributes::Of(table), {}, Path("rope"));
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(graph.value(tables[0].id).name, "rope");
  EXPECT_EQ(graph.value(tables[1].id).name, "rope#1");
}

TEST(Graph, HoldsOneWeightOnce) {
  Graph graph("weights");
  const Value first = graph.Weight(Path("w"), Shape{2, 3});
  EXPECT_EQ(graph.Weight(Path("w"), Shape{2, 3}).id, first.id);
  EXPECT_THROW(graph.Weight(Path("w"), Shape{3, 2}), Error);
  EXPECT_THROW(graph.Weight(Path("v"), Shape{2}, Shape{3}), Error);
  const Value conv = graph.Weight(Path("conv"), Shape{8, 12}, Shape{8, 3, 2, 2});
  EXPECT_EQ(conv.type().shape, (Dims{8, 12}));
  EXPECT_EQ(graph.value(conv.id).stored_shape, (Shape{8, 3, 2, 2}));
}

TEST(Graph, NamesTheNodeThatDoesNotFit) {
  Graph graph("wrong");
  const Value x = graph.Input("x", DType::kF32, {2, 4});
  const Value weight = graph.Weight(Path("fc.weight"), Shape{8, 5});
  try {
    graph.Add(kLinear, Attributes::Of(Linear{}), {x, weight}, Path("encoder.fc"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("while building encoder.fc (Linear): the weight's input "
                                        "width is 5, expected 4"));
  }
  try {
    graph.Add(kLinear, Attributes::Of(Linear{}), {x}, Path("encoder.fc"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Linear at encoder.fc takes 2 to 3 inputs, got 1"));
  }
}

TEST(Graph, RefusesValuesOfAnotherGraph) {
  Graph one("one"), other("other");
  const Value x = other.Input("x", DType::kF32, {2});
  EXPECT_THROW(AddRelu(one, x, Path("act")), Error);
}

TEST(Graph, ChecksTheTypeOfAttributes) {
  EXPECT_THROW(Attributes::Of(Linear{}).get<Constant>(), Error);
  EXPECT_THROW(Attributes().get<Linear>(), Error);
}

TEST(Graph, NeedsWhatItsOutputsRead) {
  const Graph graph = SmallGraph();
  EXPECT_THAT(NeededNodes(graph), ElementsAre(true, true, false));
}

TEST(Graph, CountsProductsThatItsOutputsNeed) {
  Graph graph = SmallGraph();
  AddLinear(graph, {&graph, graph.Find("x")}, Path("unread_fc"), 100);
  EXPECT_EQ(graph.Flops(), Dim::Symbol("batch") * (2 * 4 * 8));
}

TEST(Graph, ListsTheReadersOfEachValue) {
  Graph graph("readers");
  const Value x = graph.Input("x", DType::kF32, {2});
  graph.Add(kBinary, Attributes::Of(Binary{BinaryKind::kMul}), {x, x}, Path("square"));
  const int square = graph.nodes()[0].id;
  const auto consumers = graph.Consumers();
  EXPECT_THAT(consumers[static_cast<size_t>(x.id)], ElementsAre(square, square));
  EXPECT_TRUE(consumers[static_cast<size_t>(graph.Find("square"))].empty());
}

TEST(Graph, KeepsIdsWhenNodesComeAndGo) {
  Graph graph = SmallGraph();
  const int act = graph.Find("act"), act_node = graph.value(act).producer;
  Node copy = *graph.producer(act);
  copy.outputs = {graph.NewValue({.type = graph.value(act).type, .name = "copy"})};
  graph.InsertNode(copy, act_node);
  EXPECT_EQ(graph.Find("act"), act);
  EXPECT_EQ(graph.producer(act)->id, act_node);
  Verify(graph);
  graph.mutable_nodes()[graph.IndexOf(graph.value(graph.Find("copy")).producer)].op = nullptr;
  graph.Compact();
  EXPECT_EQ(graph.nodes().size(), 3u);
  EXPECT_EQ(graph.producer(act)->id, act_node);
}

TEST(Verify, CatchesReadingBeforeComputing) {
  Graph graph = SmallGraph();
  std::swap(graph.mutable_nodes()[0], graph.mutable_nodes()[1]);
  try {
    Verify(graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("act reads fc before it is computed"));
  }
}

TEST(Verify, CatchesAShapeThatTheOpDoesNotGive) {
  Graph graph = SmallGraph();
  graph.mutable_value(graph.Find("act")).type.shape = {1, 2};
  try {
    Verify(graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("act has shape [1, 2] but its op gives [batch, 8]"));
  }
}

TEST(Verify, CatchesAnOutputThatNothingComputes) {
  Graph graph = SmallGraph();
  graph.mutable_nodes()[1].op = nullptr;
  graph.Compact();
  EXPECT_THROW(Verify(graph), Error);
}

TEST(Printer, WritesOneLineForEachNode) {
  Graph graph = SmallGraph();
  graph.mutable_nodes()[0].precision = {DType::kBF16, DType::kBF16, DType::kF32};
  EXPECT_EQ(PrintText(graph),
            "graph small\n"
            "  input x f32[batch, 4]\n"
            "  fc = Linear <bf16xbf16 -> f32>(x, fc.weight) : f32[batch, 8]\n"
            "  act = Activation{relu}(fc) : f32[batch, 8]\n"
            "  unread = Activation{relu}(x) : f32[batch, 4]\n"
            "  output y = act\n");
}

TEST(Printer, WritesWhatGraphvizReads) {
  Graph graph("with \"quotes\"");
  const Value x = graph.Input("x", DType::kF32, {2, 4});
  AddLinear(graph, x, Path("fc"), 8);
  EXPECT_EQ(PrintDot(graph),
            "digraph \"with \\\"quotes\\\"\" {\n"
            "  node [shape=box];\n"
            "  v0 [label=\"x\", shape=ellipse];\n"
            "  n0 [label=\"fc\\nLinear\"];\n"
            "  v0 -> n0 [label=\"[2, 4]\"];\n"
            "}\n");
}

}  // namespace
}  // namespace vernier
