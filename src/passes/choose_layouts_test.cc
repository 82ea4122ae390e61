// Which layouts maps get, how many reorders stand between them, and that nobody sees a difference.
#include <cmath>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "models/blendmask/model.h"
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "ops/conv.h"
#include "ops/shape_ops.h"
#include "passes/pass.h"
#include "support/blendmask_golden.h"
#include "support/run_graph.h"
#include "support/toy_program.h"

namespace vernier {
namespace {

using testing::CpuDevice;
using testing::CpuOptions;
using testing::LargestDifference;
using testing::LargestMagnitude;
using testing::RunGraph;
using testing::ToyWeights;

int64_t Reorders(const Graph& graph) {
  return std::ranges::count(graph.nodes(), &kReorder, &Node::op);
}

const Node& NodeOf(const Graph& graph, const OpDef& op) {
  return *std::ranges::find(graph.nodes(), &op, &Node::op);
}

// Convolutions like channels last, and activations take anything.
Graph Chosen(Graph graph) {
  const PrecisionRules none;
  ChooseLayouts(
      graph,
      {.rules = none, .wanted = {}, .can_emit = {}, .maps = [](const Graph&, const Node& node) {
         if (node.op == &kConv2d || node.op == &kFusedConv2d) {
           return MapSupport::kChannelsLast;
         }
         return node.op == &kActivation || node.op == &kBinary ? MapSupport::kAlike
                                                               : MapSupport::kRowMajor;
       }});
  Verify(graph);
  return graph;
}

struct Net {
  Graph graph{"net"};
  Value x = graph.Input("x", DType::kF32, {2, 3, 9, 7});

  Value Conv(Value of, const char* name, int64_t out = 5) {
    return nn::Conv(of, {.out = out, .kernel = 3, .bias = true}, Path(name), Path(name));
  }
  Value Turned(Value of, const char* name) {
    return graph.Add(kTranspose, Attributes::Of(Transpose{{0, 2, 3, 1}}), {of}, Path(name));
  }
};

TEST(ChooseLayouts, ReadsThePictureAsItIsAndKeepsMapsChannelsLast) {
  Net net;
  const Value a = net.Conv(net.x, "a"), relu = nn::Activate(a, ActivationKind::kRelu, Path("relu"));
  net.graph.MarkOutput(net.Conv(relu, "b"), "y");
  const Graph graph = Chosen(net.graph);
  EXPECT_EQ(Reorders(graph), 0);
  EXPECT_EQ(graph.value(net.x.id).layout, Layout::kRowMajor);
  for (const Node& node : graph.nodes()) {
    EXPECT_EQ(graph.value(node.outputs[0]).layout, Layout::kChannelsLast) << node.name;
  }
}

TEST(ChooseLayouts, ReordersOnceForAllReadersThatNeedIt) {
  Net net;
  const Value a = net.Conv(net.x, "a");
  net.graph.MarkOutput(net.Turned(a, "one"), "one");
  net.graph.MarkOutput(net.Turned(a, "two"), "two");
  const Graph graph = Chosen(net.graph);
  ASSERT_EQ(Reorders(graph), 1);
  const Node& reorder = NodeOf(graph, kReorder);
  EXPECT_EQ(reorder.inputs[0], a.id);
  EXPECT_EQ(reorder.name, "a#row-major");
  EXPECT_EQ(graph.value(reorder.outputs[0]).layout, Layout::kRowMajor);
  EXPECT_EQ(graph.value(a.id).layout, Layout::kChannelsLast);
}

TEST(ChooseLayouts, TurnsAMapThatJoinsOnesInTheOtherLayout) {
  Net net;
  const Value sum = nn::Add(net.Conv(net.x, "a", 3), net.x, Path("sum"));
  net.graph.MarkOutput(sum, "y");
  const Graph graph = Chosen(net.graph);
  ASSERT_EQ(Reorders(graph), 1);
  EXPECT_EQ(NodeOf(graph, kReorder).inputs[0], net.x.id);
  EXPECT_EQ(graph.value(sum.id).layout, Layout::kChannelsLast);
}

TEST(ChooseLayouts, LeavesGraphsWithoutConvolutionsAlone) {
  Net net;
  const Value relu = nn::Activate(net.x, ActivationKind::kRelu, Path("relu"));
  net.graph.MarkOutput(nn::Add(relu, net.x, Path("sum")), "y");
  const Graph graph = Chosen(net.graph);
  EXPECT_EQ(Reorders(graph), 0);
  for (const ValueInfo& value : graph.values()) EXPECT_EQ(value.layout, Layout::kRowMajor);
}

class AllTaps final : public TapSink {
 public:
  bool Wants(const ValueInfo&) const override { return true; }
  void Take(const TapRecord& record, const TensorView& tensor) override {
    taken.emplace(record.name, Tensor::CopyOf(tensor));
  }
  NamedTensors taken;
};

// Convolutions of all sorts with odd numbers of channels, and readers in both layouts.
Graph OddNet() {
  Net net;
  Value a = nn::Conv(net.x, {.out = 17, .kernel = 7, .stride = 2}, Path("stem"), Path("stem"));
  a = nn::Activate(a, ActivationKind::kRelu, Path("stem#relu"));
  const nn::Convolution one{.out = 17, .kernel = 1, .bias = true};
  Value b = nn::Conv(a, one, Path("one"), Path("one"));
  b = nn::Activate(nn::Add(b, a, Path("sum")), ActivationKind::kRelu, Path("relu"));
  b = nn::Conv(b, {.out = 34, .kernel = 3, .groups = 17}, Path("groups"), Path("groups"));
  net.graph.MarkOutput(b, "map");
  net.graph.MarkOutput(net.Turned(b, "turned"), "rows");
  net.graph.MarkOutput(nn::Conv(b, {.out = 1, .kernel = 3, .stride = 2}, Path("c"), Path("c")),
                       "small");
  return net.graph;
}

// Five products one behind the other, of at most 306 terms below 4, in f32; in bf16 every factor
// and stored value is off by 2^-9.
double Allowed(const std::string& dtype, double magnitude) {
  return (dtype == "f32" ? 5 * 306 * std::ldexp(1.0, -24) : 5 * 3 * std::ldexp(1.0, -9)) *
         std::max(1.0, magnitude);
}

TEST(ChooseLayouts, ChangesNoResultAndNoTap) {
  const Graph graph = OddNet();
  AllTaps reference;
  const NamedTensors expected =
      RunGraph(graph, {.options = {.backend = &RefBackend()}, .run = {.taps = &reference}});
  for (const std::string dtype : {"f32", "bf16"}) {
    for (const std::vector<std::string>& disabled :
         std::vector<std::vector<std::string>>{{}, {"layouts"}}) {
      AllTaps taps;
      const NamedTensors found =
          RunGraph(graph, {.options = CpuOptions(dtype, disabled), .run = {.taps = &taps}});
      for (const auto& [name, tensor] : expected) {
        EXPECT_LE(LargestDifference(found.at(name), tensor),
                  Allowed(dtype, LargestMagnitude(tensor)))
            << name << " " << dtype;
      }
      EXPECT_EQ(taps.taken.size(), reference.taken.size());
      for (const auto& [name, tensor] : reference.taken) {
        ASSERT_EQ(taps.taken.at(name).shape(), tensor.shape()) << name;
        EXPECT_LE(LargestDifference(taps.taken.at(name), tensor),
                  Allowed(dtype, LargestMagnitude(tensor)))
            << name << " " << dtype;
      }
    }
  }
}

// What is known when a plan is bound lies row-major, whoever reads it.
TEST(ChooseLayouts, ReadsWeightsAndWhatIsMadeOfThemAsTheyLie) {
  for (const bool of_weights : {false, true}) {
    Graph graph{"net"};
    const Value x = graph.Input("x", DType::kF32, {1, 3, 9, 7});
    const Value table = graph.Weight(Path("table"), Shape{1, 3, 9, 7});
    const auto conv = [](Value of, const char* name) {
      return nn::Conv(of, {.out = 3, .kernel = 3, .bias = true}, Path(name), Path(name));
    };
    const Value a = conv(x, "a");
    const Value sum = nn::Add(a, of_weights ? conv(table, "made") : table, Path("sum"));
    graph.MarkOutput(conv(sum, "b"), "y");
    const NamedTensors expected = RunGraph(graph, {.options = {.backend = &RefBackend()}});
    const NamedTensors found = RunGraph(graph, {.options = CpuOptions("f32")});
    EXPECT_LE(LargestDifference(found.at("y"), expected.at("y")),
              Allowed("f32", LargestMagnitude(expected.at("y"))))
        << of_weights;
  }
}

TEST(ChooseLayouts, LeavesRowMajorMapsWhereItIsDisabled) {
  const Graph graph = OddNet();
  const auto compiled = [&](std::vector<std::string> disabled) {
    return Program::Compile(graph, ToyWeights(graph).Store(),
                            CpuOptions("f32", std::move(disabled)));
  };
  EXPECT_EQ(Reorders(compiled({})->graph()), 1);
  const auto plain = compiled({"layouts"});
  EXPECT_EQ(Reorders(plain->graph()), 0);
  for (const ValueInfo& value : plain->graph().values()) {
    EXPECT_EQ(value.layout, Layout::kRowMajor) << value.name;
  }
}

TEST(ChooseLayouts, NeedsNoReorderInAnyFormOfBlendMask) {
  for (const std::string& name : BlendMaskGoldenNames()) {
    const BlendMaskConfig config = BlendMaskGolden(name).config;
    for (const bool dense : {false, true}) {
      for (const std::string dtype : {"f32", "bf16"}) {
        Graph graph = BlendMaskGraph(config, {.dense_top_features = dense});
        const PrecisionRules rules = PresetRules(dtype, {});
        RunPasses(graph,
                  {.rules = rules,
                   .wanted = CpuDevice().passes(),
                   .can_emit = [](const Graph& g, const Node& node,
                                  DType type) { return CpuDevice().CanEmit(g, node, type); },
                   .maps = [](const Graph& g, const Node& n) { return CpuDevice().Maps(g, n); }},
                  {}, {});
        for (const Node& node : graph.nodes()) {
          EXPECT_NE(node.op, &kReorder) << node.name << " in " << name << ", " << dtype;
        }
      }
    }
  }
}

}  // namespace
}  // namespace vernier
