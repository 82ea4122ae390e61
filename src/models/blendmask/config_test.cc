#include "models/blendmask/config.h"

#include <fmt/format.h>

#include "io/yaml.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kBase = R"(
MODEL:
  META_ARCHITECTURE: BlendMask
  BACKBONE: {NAME: build_fcos_resnet_fpn_backbone}
  FPN: {IN_FEATURES: [res3, res4, res5]}
)";

Json Base() { return ParseYaml(kBase, "some.yaml"); }

// The smallest configuration with one more part of MODEL, as YAML.
BlendMaskConfig With(const std::string& section, const std::string& keys) {
  Json config = Base();
  config["MODEL"][section] = ParseYaml(keys, "keys");
  return ParseBlendMaskConfig(Json::Parse(config.Compact(), "some.yaml"));
}

std::string Refusal(const std::string& section, const std::string& keys) {
  return MessageOf([&] { With(section, keys); });
}

TEST(BlendMaskConfigFile, LeavesOutWhatDetectron2DefinesDefaultsFor) {
  const BlendMaskConfig blend = ParseBlendMaskConfig(Base());
  EXPECT_TRUE(blend.bgr);
  EXPECT_THAT(blend.pixel_mean, ElementsAre(103.53f, 116.28f, 123.675f));
  EXPECT_THAT(blend.pixel_std, ElementsAre(1, 1, 1));
  EXPECT_EQ(blend.min_size, 800);
  EXPECT_EQ(blend.max_size, 1333);
  EXPECT_FALSE(blend.fixed_size());
  EXPECT_EQ(blend.depth, 50);
  EXPECT_EQ(blend.body_norm, BlendMaskNorm::kBatch);
  EXPECT_TRUE(blend.stride_in_1x1);
  EXPECT_EQ(blend.fpn_norm, BlendMaskNorm::kNone);
  EXPECT_EQ(blend.tower_norm, BlendMaskNorm::kGroup);
  EXPECT_EQ(blend.tower_groups, 32);
  EXPECT_THAT(blend.levels, ElementsAre("p3", "p4", "p5", "p6", "p7"));
  EXPECT_THAT(blend.strides, ElementsAre(8, 16, 32, 64, 128));
  EXPECT_TRUE(blend.scales);
  EXPECT_FALSE(blend.threshold_with_centerness);
  EXPECT_EQ(blend.score_threshold, 0.05f);
  EXPECT_EQ(blend.nms_threshold, 0.6);
  EXPECT_EQ(blend.attention_channels(), 784);
  EXPECT_TRUE(blend.aligned_pooler);
}

TEST(BlendMaskConfigFile, OfEveryGoldenIsRead) {
  const auto read = [](const std::string& name) {
    return ParseBlendMaskConfig(Json::ParseFile(
        fmt::format("{}/goldens/blendmask/{}/config.json", VERNIER_TEST_DATA, name)));
  };
  EXPECT_EQ(read("r50_gn").basis_convs, 3);
  EXPECT_EQ(read("r50_550_share").share_convs, 3);
  EXPECT_THAT(read("r50_550_share").levels, ElementsAre("p3", "p4", "p5", "p6"));
  EXPECT_EQ(read("rt_r50_bn_batch2").tower_norm, BlendMaskNorm::kBatch);
  EXPECT_EQ(read("rt_dla34").body, BlendMaskBody::kDla34);
  EXPECT_THAT(read("rt_dla34").dla_channels, ElementsAre(4, 4, 8, 8, 12, 16));
  EXPECT_EQ(read("lite_bn_shared").tower_norm, BlendMaskNorm::kSharedBatch);
  EXPECT_EQ(read("lite_bn").fixed_height, 64);
  EXPECT_EQ(read("lite_gn").fixed_width, 96);
  EXPECT_FALSE(read("lite_gn").bgr);
  EXPECT_TRUE(read("empty").threshold_with_centerness);
}

TEST(BlendMaskConfigFile, RefusesOtherNetworksByName) {
  EXPECT_THAT(Refusal("RESNETS", "DEFORM_ON_PER_STAGE: [no, no, yes, yes]"),
              HasSubstr("some.yaml: MODEL.RESNETS.DEFORM_ON_PER_STAGE asks for deformable "
                        "convolutions, which is not supported"));
  EXPECT_THAT(Refusal("FCOS", "USE_DEFORMABLE: True"), HasSubstr("deformable convolutions"));
  EXPECT_THAT(Refusal("PANOPTIC_FPN", "COMBINE: {ENABLED: True}"),
              HasSubstr("MODEL.PANOPTIC_FPN.COMBINE.ENABLED is true (the panoptic head)"));
  EXPECT_THAT(Refusal("BACKBONE", "NAME: build_fcos_vovnet_fpn_backbone"),
              HasSubstr("is \"build_fcos_vovnet_fpn_backbone\", which is not supported"));
  EXPECT_THAT(Refusal("BACKBONE", "{NAME: build_fcos_resnet_fpn_backbone, ANTI_ALIAS: True}"),
              HasSubstr("low-pass filters"));
  EXPECT_THAT(Refusal("MOBILENET", "True"), HasSubstr("a MobileNet body"));
  EXPECT_THAT(Refusal("BACKBONE", "{}"), HasSubstr("MODEL.BACKBONE.NAME is missing"));
  EXPECT_THAT(Refusal("RESNETS", "DEPTH: 18"), HasSubstr("MODEL.RESNETS.DEPTH is 18"));
  EXPECT_THAT(Refusal("RESNETS", "RES5_DILATION: 2"), HasSubstr("RES5_DILATION is 2"));
  EXPECT_THAT(Refusal("META_ARCHITECTURE", "CondInst"), HasSubstr("is \"CondInst\""));
  EXPECT_THAT(Refusal("PROPOSAL_GENERATOR", "NAME: RPN"), HasSubstr("is \"RPN\""));
  EXPECT_THAT(Refusal("BASIS_MODULE", "NAME: Other"), HasSubstr("is \"Other\""));
  EXPECT_THAT(Refusal("FPN", "IN_FEATURES: [res2, res3, res4, res5]"),
              HasSubstr("is res2,res3,res4,res5, expected res3,res4,res5"));
  EXPECT_THAT(Refusal("FPN", "{IN_FEATURES: [res3, res4, res5], FUSE_TYPE: max}"),
              HasSubstr("FUSE_TYPE is \"max\""));
  EXPECT_THAT(Refusal("BLENDMASK", "POOLER_SCALES: [0.25, 0.125]"),
              HasSubstr("has 2 scales (pooling from several levels)"));
  EXPECT_THAT(Refusal("BLENDMASK", "POOLER_TYPE: ROIPool"), HasSubstr("is \"ROIPool\""));
  EXPECT_THAT(Refusal("BLENDMASK", "TOP_INTERP: bicubic"), HasSubstr("is \"bicubic\""));
  EXPECT_THAT(Refusal("FCOS", "NORM: LN"), HasSubstr("is \"LN\", which is no known norm"));
  EXPECT_THAT(Refusal("RESNETS", "NORM: BN_SHARED"), HasSubstr("only MODEL.FCOS.NORM can be"));
}

TEST(BlendMaskConfigFile, RefusesADlaOfAnotherShape) {
  const auto refusal = [](const std::string& keys) {
    Json config = Base();
    config["MODEL"]["BACKBONE"]["NAME"] = "build_fcos_dla_fpn_backbone";
    config["MODEL"]["DLA"] = ParseYaml(keys, "keys");
    return MessageOf([&] { ParseBlendMaskConfig(Json::Parse(config.Compact(), "some.yaml")); });
  };
  EXPECT_THAT(refusal("CONV_BODY: DLA60"), HasSubstr("MODEL.DLA.CONV_BODY is \"DLA60\""));
  EXPECT_THAT(refusal("CHANNELS: [16, 32]"), HasSubstr("must be 6 widths from 1 to 8192"));
  EXPECT_THAT(refusal("CONV_BODY: DLA34"), HasSubstr("is res3,res4,res5, expected level3"));
}

TEST(BlendMaskConfigFile, RefusesLevelsThatDoNotFitEachOther) {
  EXPECT_THAT(Refusal("FCOS", "FPN_STRIDES: [8, 16, 32]"),
              HasSubstr("has 3 strides for 5 levels in MODEL.FCOS.IN_FEATURES"));
  EXPECT_THAT(Refusal("FCOS", "TOP_LEVELS: 1"),
              HasSubstr("holds p7, which MODEL.FCOS.TOP_LEVELS 1 does not make"));
  EXPECT_THAT(Refusal("FCOS", "IN_FEATURES: [p2]"), HasSubstr("holds \"p2\", expected p3 to p7"));
  EXPECT_THAT(Refusal("FCOS", "IN_FEATURES: [p4, p3]"), HasSubstr("from fine to coarse"));
  EXPECT_THAT(Refusal("FCOS", "IN_FEATURES: []"), HasSubstr("is empty"));
  EXPECT_THAT(Refusal("FCOS", "FPN_STRIDES: [8, 16, 32, 64, 0]"), HasSubstr("holds 0"));
}

TEST(BlendMaskConfigFile, RefusesGroupsThatDoNotDivideTheChannels) {
  EXPECT_THAT(Refusal("FCOS", "GN_GROUPS: 48"),
              HasSubstr("MODEL.FCOS.NORM is GN with 48 groups, which do not divide 256 channels"));
  EXPECT_THAT(Refusal("BASIS_MODULE", "{NORM: GN, CONVS_DIM: 100}"),
              HasSubstr("32 groups, which do not divide 100 channels"));
}

TEST(BlendMaskConfigFile, RefusesNumbersOutOfBounds) {
  EXPECT_THAT(Refusal("FCOS", "NUM_CLASSES: 0"), HasSubstr("is 0, expected 1 to 65535"));
  EXPECT_THAT(Refusal("FCOS", "INFERENCE_TH_TEST: 1.5"), HasSubstr("must lie between 0 and 1"));
  EXPECT_THAT(Refusal("FCOS", "NMS_TH: 2"), HasSubstr("must be at most 1"));
  EXPECT_THAT(Refusal("PIXEL_MEAN", "[1, 2]"), HasSubstr("has 2 numbers, expected 3"));
  EXPECT_THAT(Refusal("PIXEL_STD", "[1, 0, 1]"), HasSubstr("must be positive"));
  EXPECT_THAT(Refusal("PIXEL_MEAN", "[1, 1e300, 1]"), HasSubstr("is not finite"));
  EXPECT_THAT(Refusal("BLENDMASK", "POOLER_SAMPLING_RATIO: 0"), HasSubstr("expected 1 to 16"));
  EXPECT_THAT(Refusal("BLENDMASK", "POOLER_SCALES: [2]"), HasSubstr("between 0 and 1"));
  EXPECT_THAT(Refusal("RESNETS", "{NUM_GROUPS: 8192, WIDTH_PER_GROUP: 8192}"),
              HasSubstr("times NUM_GROUPS exceeds 8192 channels"));
  Json config = Base();
  config["INPUT"] = ParseYaml("FORMAT: YUV", "keys");
  EXPECT_THAT(MessageOf([&] { ParseBlendMaskConfig(config); }), HasSubstr("is \"YUV\""));
}

}  // namespace
}  // namespace vernier
