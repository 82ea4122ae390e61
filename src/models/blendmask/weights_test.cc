#include "models/blendmask/weights.h"

#include <map>

#include "io/checkpoint.h"
#include "support/blendmask_golden.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using Shapes = std::map<std::string, Shape>;

Shapes ShapesOf(const std::string& golden) {
  Shapes shapes;
  const Checkpoint checkpoint = Checkpoint::Open(BlendMaskGolden(golden).folder);
  for (const CheckpointTensor& tensor : checkpoint.tensors()) shapes[tensor.name] = tensor.shape;
  return shapes;
}

std::string Refusal(const std::string& golden, const Shapes& shapes,
                    const std::function<void(BlendMaskConfig&)>& change = {}) {
  BlendMaskConfig config = BlendMaskGolden(golden).config;
  if (change) change(config);
  return MessageOf([&] {
    RequireBlendMaskTensors(
        config,
        [&](const std::string& name) -> std::optional<Shape> {
          const auto found = shapes.find(name);
          return found == shapes.end() ? std::nullopt : std::optional(found->second);
        },
        "some.pth");
  });
}

TEST(BlendMaskTensors, OfTheGoldensFitTheirConfigurations) {
  for (const std::string& name : BlendMaskGoldenNames()) {
    if (name == "empty") continue;  // it has no weights of its own
    EXPECT_EQ(Refusal(name, ShapesOf(name)), "no error") << name;
  }
}

TEST(BlendMaskTensors, SayWhichNormTheTowersHave) {
  const auto with = [](BlendMaskNorm norm) {
    return [norm](BlendMaskConfig& config) { config.tower_norm = norm; };
  };
  const char* tower = "the checkpoint's proposal_generator.fcos_head.cls_tower has ";
  EXPECT_EQ(Refusal("lite_bn", ShapesOf("lite_bn"), with(BlendMaskNorm::kGroup)),
            std::string("some.pth: MODEL.FCOS.NORM asks for GN, ") + tower +
                "one BN for each level (SyncBN or BN)");
  EXPECT_THAT(Refusal("lite_gn", ShapesOf("lite_gn"), with(BlendMaskNorm::kBatch)),
              HasSubstr(std::string(tower) + "GN"));
  EXPECT_THAT(
      Refusal("lite_bn_shared", ShapesOf("lite_bn_shared"), with(BlendMaskNorm::kNone)),
      HasSubstr(std::string("asks for no norm, ") + tower + "one BN for all levels (BN_SHARED)"));
  Shapes bare = {{"proposal_generator.fcos_head.share_tower.0.weight", {16, 16, 3, 3}}};
  EXPECT_THAT(Refusal("r50_550_share", bare), HasSubstr("share_tower has no norm"));
}

TEST(BlendMaskTensors, SayWhichNormTheBodyHas) {
  EXPECT_EQ(Refusal("lite_bn", ShapesOf("lite_bn"),
                    [](BlendMaskConfig& config) { config.body_norm = BlendMaskNorm::kGroup; }),
            "some.pth: MODEL.RESNETS.NORM asks for GN, the checkpoint's "
            "backbone.bottom_up.stem.conv1.norm is a batch norm");
  Shapes without = ShapesOf("rt_dla34");
  without.erase("backbone.bottom_up.base_layer.1.running_mean");
  const auto unfrozen = [](BlendMaskConfig& config) { config.frozen_body = false; };
  EXPECT_THAT(Refusal("rt_dla34", without, unfrozen),
              HasSubstr("MODEL.DLA.NORM asks for a batch norm, the checkpoint's "
                        "backbone.bottom_up.base_layer.1 has no running_mean"));
  const auto frozen = [](BlendMaskConfig& config) { config.frozen_body = true; };
  EXPECT_EQ(Refusal("rt_dla34", without, frozen), "no error");
}

TEST(BlendMaskTensors, SayHowManyClassesTheyHave) {
  EXPECT_EQ(
      Refusal("lite_gn", ShapesOf("lite_gn"), [](BlendMaskConfig& config) { config.classes = 80; }),
      "some.pth: MODEL.FCOS.NUM_CLASSES is 80, the checkpoint has 7");
}

TEST(BlendMaskTensors, OfOtherNetworksAreRefusedByName) {
  Shapes panoptic = ShapesOf("r50_gn");
  panoptic["panoptic_module.predictor.weight"] = {54, 128, 1, 1};
  EXPECT_THAT(Refusal("r50_gn", panoptic), HasSubstr("it has a panoptic head"));
  Shapes deformable = ShapesOf("r50_gn");
  deformable["backbone.bottom_up.res4.0.conv2_offset.weight"] = {27, 128, 3, 3};
  EXPECT_THAT(Refusal("r50_gn", deformable), HasSubstr("it has deformable convolutions"));
}

TEST(BlendMaskTensors, ThatInferenceNeverReadsAreKnown) {
  EXPECT_TRUE(IsUnusedByBlendMask("basis_module.seg_head.0.weight"));
  EXPECT_TRUE(IsUnusedByBlendMask("basis_module.refine.0.1.num_batches_tracked"));
  EXPECT_TRUE(IsUnusedByBlendMask("backbone.bottom_up.level3.project.0.weight"));
  EXPECT_FALSE(IsUnusedByBlendMask("backbone.bottom_up.level3.tree1.project.0.weight"));
  EXPECT_FALSE(IsUnusedByBlendMask("backbone.bottom_up.level5.project.0.weight"));
}

}  // namespace
}  // namespace vernier
