// What group norms and resized maps take over, and where they decline.
#include "backends/cpu/backend.h"
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "ops/norm.h"
#include "passes/pass.h"
#include "support/after_passes.h"
#include "support/run_graph.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using testing::OpsAfter;
using testing::RunGraph;

struct Tower {
  Graph graph{"tower"};
  Value x = graph.Input("x", DType::kF32, {1, 6, 8, 8});
  Value norm = nn::GroupNorm(x, 3, 1e-5, Path("norm"), Path("norm"));
};

TEST(MapFusion, LetsAGroupNormTakeItsRelu) {
  Tower t;
  const Value relu = nn::Activate(t.norm, ActivationKind::kRelu, Path("relu"));
  t.graph.MarkOutput(relu, "y");
  EXPECT_THAT(OpsAfter(t.graph, {FuseMaps}), ElementsAre("FusedGroupNorm"));
  const Node& fused = t.graph.nodes()[0];
  EXPECT_EQ(fused.attributes.get<FusedGroupNorm>().norm.groups, 3);
  EXPECT_EQ(fused.outputs[0], relu.id);
}

TEST(MapFusion, LeavesAGroupNormThatIsReadElsewhereOrOtherwiseActivated) {
  Tower read;
  read.graph.MarkOutput(nn::Activate(read.norm, ActivationKind::kRelu, Path("relu")), "y");
  read.graph.MarkOutput(read.norm, "norm");
  EXPECT_THAT(OpsAfter(read.graph, {FuseMaps}), ElementsAre("GroupNorm", "Activation"));
  Tower gelu;
  gelu.graph.MarkOutput(nn::Activate(gelu.norm, ActivationKind::kGelu, Path("gelu")), "y");
  EXPECT_THAT(OpsAfter(gelu.graph, {FuseMaps}), ElementsAre("GroupNorm", "Activation"));
}

struct TopDown {
  Graph graph{"pyramid"};
  Value small = graph.Input("small", DType::kF32, {2, 5, 3, 4});
  Value large = graph.Input("large", DType::kF32, {2, 5, 6, 7});
  Value resized;

  explicit TopDown(MapResampling by = MapResampling::kNearest)
      : resized(nn::ResizeLike(small, large, by, Path("upper"))) {}
};

TEST(MapFusion, AddsWhileItResizesWhicheverComesFirst) {
  for (bool resized_first : {false, true}) {
    TopDown t;
    t.graph.MarkOutput(resized_first ? nn::Add(t.resized, t.large, Path("sum"))
                                     : nn::Add(t.large, t.resized, Path("sum")),
                       "y");
    EXPECT_THAT(OpsAfter(t.graph, {FuseMaps}), ElementsAre("ResizeAdd"));
    EXPECT_THAT(t.graph.nodes()[0].inputs, ElementsAre(t.small.id, t.large.id));
  }
}

TEST(MapFusion, LeavesAResizedMapThatIsReadElsewhereOrAddedToItself) {
  TopDown read;
  read.graph.MarkOutput(nn::Add(read.large, read.resized, Path("sum")), "y");
  read.graph.MarkOutput(read.resized, "resized");
  EXPECT_THAT(OpsAfter(read.graph, {FuseMaps}), ElementsAre("ResizeMap", "Binary"));
  TopDown twice;
  twice.graph.MarkOutput(nn::Add(twice.resized, twice.resized, Path("sum")), "y");
  EXPECT_THAT(OpsAfter(twice.graph, {FuseMaps}), ElementsAre("ResizeMap", "Binary"));
  TopDown row;
  const Value bias = row.graph.Input("bias", DType::kF32, {7});
  row.graph.MarkOutput(nn::Add(row.resized, bias, Path("sum")), "y");
  EXPECT_THAT(OpsAfter(row.graph, {FuseMaps}), ElementsAre("ResizeMap", "Binary"));
}

TEST(MapFusion, ChangesNoBitOfTheResult) {
  const auto backend = MakeCpuBackend({});
  for (MapResampling by : {MapResampling::kNearest, MapResampling::kBilinear}) {
    TopDown t(by);
    const Value sum = nn::Add(t.large, t.resized, Path("sum"));
    const Value norm = nn::GroupNorm(sum, 5, 1e-5, Path("norm"), Path("norm"));
    t.graph.MarkOutput(nn::Activate(norm, ActivationKind::kRelu, Path("relu")), "y");
    ProgramOptions options{.backend = backend.get()};
    const NamedTensors fused = RunGraph(t.graph, {.options = options});
    options.disabled_passes = {"fuse_maps"};
    const NamedTensors plain = RunGraph(t.graph, {.options = options});
    EXPECT_TRUE(std::ranges::equal(fused.at("y").as<float>(), plain.at("y").as<float>()));
  }
}

}  // namespace
}  // namespace vernier
