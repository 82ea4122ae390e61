// What FLOPs count: whole models against the published figures.
#include "models/blendmask/model.h"
#include "models/pe/model.h"
#include "models/vit/model.h"

namespace vernier {
namespace {

// Published by torch's counter for the modules themselves; the counter, too, counts only products.
TEST(Flops, OfVitBase16AreThePublishedFigure) {
  const Graph graph = VitGraph(VitConfig{}, {.pooler = true});
  EXPECT_EQ(graph.Flops().Evaluate({{"batch", 1}}), 35'127'300'096);
}

// Multiply-adds from the shapes of AdelaiDet's own modules (specification of the family, section
// 10), with the top layer everywhere and, at 640x640, without it.
TEST(Flops, OfBlendMaskAreThoseOfItsModules) {
  const auto macs = [](const BlendMaskConfig& config, int64_t height, int64_t width, bool dense) {
    const Graph graph = BlendMaskGraph(config, {.dense_top_features = dense});
    return graph.Flops().Evaluate({{"batch", 1}, {"height", height}, {"width", width}}) / 2e9;
  };
  BlendMaskConfig r50;
  r50.scales = false;
  EXPECT_NEAR(macs(r50, 640, 640, true), 104.364, 5e-4);
  EXPECT_NEAR(macs(r50, 800, 1344, true), 274.116, 5e-4);
  EXPECT_NEAR(macs(r50, 640, 640, false), 104.364 - 15.40, 5e-3);
  BlendMaskConfig dla = r50;
  dla.body = BlendMaskBody::kDla34;
  dla.top_levels = 0;
  dla.levels = {"p3", "p4", "p5"};
  dla.strides = {8, 16, 32};
  EXPECT_NEAR(macs(dla, 640, 640, true), 95.848, 5e-4);
  BlendMaskConfig lite = r50;
  lite.stride_in_1x1 = false;
  lite.stem_channels = 32;
  lite.res2_channels = 128;
  lite.group_width = 32;
  lite.fpn_channels = 128;
  lite.cls_convs = lite.box_convs = 2;
  lite.basis_channels = 64;
  lite.basis_convs = 2;
  EXPECT_NEAR(macs(lite, 640, 640, true), 25.810, 5e-4);
}

TEST(Flops, OfPeLangLargeAreThePublishedFigure) {
  const Graph graph = PeGraph(PeConfig{});
  const Extents extents = {{"batch", 1}, {"height", 448}, {"width", 448}};
  EXPECT_EQ(graph.Flops().Evaluate(extents), 693'494'706'176);
}

}  // namespace
}  // namespace vernier
