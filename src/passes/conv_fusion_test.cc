// What convolutions take over, and where they decline.
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "ops/conv.h"
#include "ops/linear.h"
#include "passes/pass.h"
#include "support/after_passes.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using testing::OpsAfter;

struct Bottleneck {
  Graph graph{"block"};
  Value x = graph.Input("x", DType::kF32, {1, 4, 8, 8});
  Value conv = nn::Conv(x, {.out = 4, .kernel = 3, .bias = true}, Path("conv"), Path("conv"));
  Value norm = nn::BatchNorm(conv, 1e-5, Path("norm"), Path("norm"));
  Value sum = nn::Add(norm, x, Path("sum"));
  Value relu = nn::Activate(sum, ActivationKind::kRelu, Path("relu"));

  Bottleneck() { graph.MarkOutput(relu, "y"); }

  const std::string& InputName(size_t input) const {
    return graph.value(graph.nodes()[0].inputs[input]).name;
  }
};

TEST(ConvFusion, MakesOneNodeOfConvolutionNormResidualAndRelu) {
  Bottleneck b;
  EXPECT_THAT(OpsAfter(b.graph, {FoldBatchNorm, FuseConvolutions}), ElementsAre("FusedConv2d"));
  const Node& fused = b.graph.nodes()[0];
  EXPECT_EQ(fused.attributes.get<FusedConv2d>().activation, ActivationKind::kRelu);
  EXPECT_EQ(fused.attributes.get<FusedConv2d>().eps, 1e-5);
  EXPECT_EQ(fused.outputs[0], b.relu.id);
  EXPECT_EQ(b.InputName(FusedConv2d::kBias), "conv.bias");
  EXPECT_EQ(b.InputName(FusedConv2d::kGain), "norm.weight");
  EXPECT_EQ(b.InputName(FusedConv2d::kVariance), "norm.running_var");
  EXPECT_EQ(b.InputName(FusedConv2d::kResidual), "x");
}

TEST(ConvFusion, FoldsTheNormOfALinear) {
  Graph graph("linear");
  const Value x = graph.Input("x", DType::kF32, {5, 16});
  Value y = nn::Linear(x, Path("fc"), 24, false);
  y = nn::BatchNorm(y, 1e-5, Path("norm"), Path("norm"));
  graph.MarkOutput(nn::Activate(y, ActivationKind::kGelu, Path("act")), "y");
  EXPECT_THAT(OpsAfter(graph, {FoldBatchNorm, FuseProjections, FuseEpilogue}),
              ElementsAre("FusedLinear"));
  const Node& fused = graph.nodes()[0];
  EXPECT_TRUE(fused.attributes.get<FusedLinear>().norm);
  EXPECT_EQ(fused.attributes.get<FusedLinear>().activation, ActivationKind::kGelu);

  // The norm's channels are another axis than the linear's.
  Graph rows("rows");
  const Value r = rows.Input("x", DType::kF32, {5, 24, 16});
  const Value z = nn::Linear(r, Path("fc"), 24);
  rows.MarkOutput(nn::BatchNorm(z, 1e-5, Path("norm"), Path("norm")), "y");
  EXPECT_THAT(OpsAfter(rows, {FoldBatchNorm}), ElementsAre("Linear", "BatchNorm"));
}

TEST(ConvFusion, GoesAsFarAsItsPassesAreOn) {
  Bottleneck folded;
  EXPECT_THAT(OpsAfter(folded.graph, {FoldBatchNorm}),
              ElementsAre("FusedConv2d", "Binary", "Activation"));
  Bottleneck fused;
  EXPECT_THAT(OpsAfter(fused.graph, {FuseConvolutions}),
              ElementsAre("Conv2d", "BatchNorm", "Binary", "Activation"));
}

TEST(ConvFusion, LeavesAResultThatIsReadElsewhere) {
  Bottleneck conv_read;
  conv_read.graph.MarkOutput(conv_read.conv, "conv");
  EXPECT_THAT(OpsAfter(conv_read.graph, {FoldBatchNorm, FuseConvolutions}),
              ElementsAre("Conv2d", "BatchNorm", "Binary", "Activation"));
  Bottleneck sum_read;
  sum_read.graph.MarkOutput(sum_read.sum, "sum");
  EXPECT_THAT(OpsAfter(sum_read.graph, {FoldBatchNorm, FuseConvolutions}),
              ElementsAre("FusedConv2d", "Activation"));
}

TEST(ConvFusion, TakesNoResidualBehindAnActivationAndNoOtherActivation) {
  Graph graph("after");
  const Value x = graph.Input("x", DType::kF32, {1, 4, 8, 8});
  Value y = nn::Conv(x, {.out = 4, .kernel = 1}, Path("conv"), Path("conv"));
  y = nn::Activate(y, ActivationKind::kRelu, Path("relu"));
  graph.MarkOutput(nn::Add(y, x, Path("sum")), "y");
  EXPECT_THAT(OpsAfter(graph, {FuseConvolutions}), ElementsAre("FusedConv2d", "Binary"));

  Graph smooth("smooth");
  const Value s = smooth.Input("x", DType::kF32, {1, 4, 8, 8});
  const Value z = nn::Conv(s, {.out = 4, .kernel = 1}, Path("conv"), Path("conv"));
  smooth.MarkOutput(nn::Activate(z, ActivationKind::kGelu, Path("gelu")), "y");
  EXPECT_THAT(OpsAfter(smooth, {FuseConvolutions}), ElementsAre("Conv2d", "Activation"));
}

TEST(ConvFusion, LeavesASumThatRepeatsRows) {
  Graph graph("broadcast");
  const Value x = graph.Input("x", DType::kF32, {1, 4, 8, 8});
  const Value row = graph.Input("row", DType::kF32, {8});
  const Value y = nn::Conv(x, {.out = 4, .kernel = 1}, Path("conv"), Path("conv"));
  graph.MarkOutput(nn::Add(y, row, Path("sum")), "y");
  EXPECT_THAT(OpsAfter(graph, {FuseConvolutions}), ElementsAre("Conv2d", "Binary"));
}

}  // namespace
}  // namespace vernier
