#include "models/blendmask/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "models/config_checks.h"

namespace vernier {
namespace {

constexpr const char* kSupported =
    "supported are BlendMask over ResNet-50, -101, -152 or DLA-34 with FPN as AdelaiDet publishes "
    "them, without deformable convolutions, and BlendMask-Lite";
constexpr int64_t kMaxChannels = 8192;
constexpr int64_t kMaxCount = 1'000'000;

const Json& Empty() {
  static const Json empty = Json::Object();
  return empty;
}

// A node of the tree whose keys all have defaults.
const Json& Section(const Json& parent, std::string_view key) {
  const Json* found = parent.Find(key);
  if (found == nullptr || found->is_null()) return Empty();
  return parent.GetObject(key);
}

[[noreturn]] void Unsupported(const Json& section, std::string_view key, const std::string& what) {
  ConfigError(section, key, what + ", which is not supported", kSupported);
}

void RefuseTrue(const Json& section, std::string_view key, const char* what) {
  if (section.GetBool(key, false)) Unsupported(section, key, fmt::format("is true ({})", what));
}

int64_t Channels(const Json& section, std::string_view key, int64_t otherwise) {
  return BoundedInt(section, key, otherwise, 1, kMaxChannels);
}

BlendMaskNorm Norm(const Json& section, std::string_view key, const char* otherwise) {
  const std::string name = section.GetString(key, otherwise);
  if (name == "FrozenBN" || name == "BN" || name == "SyncBN" || name == "nnSyncBN") {
    return BlendMaskNorm::kBatch;
  }
  if (name == "GN" || name == "NaiveGN") return BlendMaskNorm::kGroup;
  if (name.empty() || name == "none") return BlendMaskNorm::kNone;
  if (name == "BN_SHARED") return BlendMaskNorm::kSharedBatch;
  ConfigError(section, key, fmt::format("is \"{}\", which is no known norm", name),
              "known are FrozenBN, BN, SyncBN, GN, NaiveGN, BN_SHARED and none");
}

BlendMaskNorm UnsharedNorm(const Json& section, std::string_view key, const char* otherwise) {
  const BlendMaskNorm norm = Norm(section, key, otherwise);
  if (norm == BlendMaskNorm::kSharedBatch) {
    ConfigError(section, key, "is \"BN_SHARED\", which only MODEL.FCOS.NORM can be");
  }
  return norm;
}

// detectron2's GN has 32 groups wherever it stands.
void RequireGroups(BlendMaskNorm norm, int64_t channels, int64_t groups, const Json& section) {
  if (norm != BlendMaskNorm::kGroup || channels % groups == 0) return;
  ConfigError(
      section, "NORM",
      fmt::format("is GN with {} groups, which do not divide {} channels", groups, channels));
}

std::array<float, 3> PerChannel(const Json& model, std::string_view key,
                                const std::array<float, 3>& otherwise) {
  if (!model.Has(key)) return otherwise;
  const std::vector<double> numbers = model.GetNumbers(key);
  if (numbers.size() != 3) {
    ConfigError(model, key, fmt::format("has {} numbers, expected 3", numbers.size()));
  }
  std::array<float, 3> values{};
  std::ranges::transform(numbers, values.begin(), [](double x) { return static_cast<float>(x); });
  if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); })) {
    ConfigError(model, key, "holds a number that is not finite");
  }
  return values;
}

void ReadPictures(const Json& config, const Json& model, BlendMaskConfig& blend) {
  const Json& input = Section(config, "INPUT");
  const std::string format = input.GetString("FORMAT", "BGR");
  if (format != "BGR" && format != "RGB") {
    Unsupported(input, "FORMAT", fmt::format("is \"{}\", expected BGR or RGB", format));
  }
  blend.bgr = format == "BGR";
  blend.pixel_mean = PerChannel(model, "PIXEL_MEAN", blend.pixel_mean);
  blend.pixel_std = PerChannel(model, "PIXEL_STD", blend.pixel_std);
  if (!std::ranges::all_of(blend.pixel_std, [](float x) { return x > 0; })) {
    ConfigError(model, "PIXEL_STD", "must be positive");
  }
  blend.min_size = BoundedInt(input, "MIN_SIZE_TEST", 800, 1, kMaxImageSide);
  blend.max_size = BoundedInt(input, "MAX_SIZE_TEST", 1333, 1, kMaxImageSide);
  if (input.Has("FIXED_SIZE") && input.Get("FIXED_SIZE").size() > 0) {
    std::tie(blend.fixed_height, blend.fixed_width) =
        BoundedSize(input, "FIXED_SIZE", 0, kMaxImageSide);
  }
}

void ReadBodyNorm(const Json& body, BlendMaskConfig& blend) {
  blend.body_norm = UnsharedNorm(body, "NORM", "FrozenBN");
  blend.frozen_body = body.GetString("NORM", "FrozenBN") == "FrozenBN";
}

void ReadResNet(const Json& model, BlendMaskConfig& blend) {
  const Json& resnets = Section(model, "RESNETS");
  blend.depth = resnets.GetInt("DEPTH", 50);
  if (blend.depth != 50 && blend.depth != 101 && blend.depth != 152) {
    Unsupported(resnets, "DEPTH", fmt::format("is {}", blend.depth));
  }
  ReadBodyNorm(resnets, blend);
  blend.stem_channels = Channels(resnets, "STEM_OUT_CHANNELS", 64);
  blend.res2_channels = Channels(resnets, "RES2_OUT_CHANNELS", 256);
  blend.groups = Channels(resnets, "NUM_GROUPS", 1);
  blend.group_width = Channels(resnets, "WIDTH_PER_GROUP", 64);
  if (blend.groups * blend.group_width > kMaxChannels) {
    ConfigError(resnets, "WIDTH_PER_GROUP",
                fmt::format("times NUM_GROUPS exceeds {} channels", kMaxChannels));
  }
  blend.stride_in_1x1 = resnets.GetBool("STRIDE_IN_1X1", true);
  if (const int64_t dilation = resnets.GetInt("RES5_DILATION", 1); dilation != 1) {
    Unsupported(resnets, "RES5_DILATION", fmt::format("is {}", dilation));
  }
  if (resnets.Has("DEFORM_ON_PER_STAGE")) {
    for (const Json& stage : resnets.GetArray("DEFORM_ON_PER_STAGE").items()) {
      if (stage.AsBool()) {
        Unsupported(resnets, "DEFORM_ON_PER_STAGE", "asks for deformable convolutions");
      }
    }
  }
  RequireGroups(blend.body_norm, blend.stem_channels, 32, resnets);
  RequireGroups(blend.body_norm, blend.groups * blend.group_width, 32, resnets);
  RequireGroups(blend.body_norm, blend.res2_channels, 32, resnets);
}

void ReadDla(const Json& model, BlendMaskConfig& blend) {
  const Json& dla = Section(model, "DLA");
  if (const std::string body = dla.GetString("CONV_BODY", "DLA34"); body != "DLA34") {
    Unsupported(dla, "CONV_BODY", fmt::format("is \"{}\"", body));
  }
  ReadBodyNorm(dla, blend);
  if (dla.Has("CHANNELS")) blend.dla_channels = dla.GetInts("CHANNELS");
  const bool bounded = std::ranges::all_of(blend.dla_channels,
                                           [](int64_t n) { return n >= 1 && n <= kMaxChannels; });
  if (blend.dla_channels.size() != 6 || !bounded) {
    ConfigError(dla, "CHANNELS", fmt::format("must be 6 widths from 1 to {}", kMaxChannels));
  }
  for (int64_t channels : blend.dla_channels) RequireGroups(blend.body_norm, channels, 32, dla);
}

void ReadBody(const Json& model, BlendMaskConfig& blend) {
  const Json& backbone = Section(model, "BACKBONE");
  const std::string name = backbone.GetString("NAME");
  if (name == "build_fcos_resnet_fpn_backbone") {
    blend.body = BlendMaskBody::kResNet;
    ReadResNet(model, blend);
  } else if (name == "build_fcos_dla_fpn_backbone") {
    blend.body = BlendMaskBody::kDla34;
    ReadDla(model, blend);
  } else {
    Unsupported(backbone, "NAME", fmt::format("is \"{}\"", name));
  }
  RefuseTrue(backbone, "ANTI_ALIAS", "low-pass filters before strides");
  RefuseTrue(model, "MOBILENET", "a MobileNet body");
}

void ReadFpn(const Json& model, BlendMaskConfig& blend) {
  const Json& fpn = Section(model, "FPN");
  const bool resnet = blend.body == BlendMaskBody::kResNet;
  const std::vector<std::string> wanted =
      resnet ? std::vector<std::string>{"res3", "res4", "res5"}
             : std::vector<std::string>{"level3", "level4", "level5"};
  if (const auto found = fpn.GetStrings("IN_FEATURES"); found != wanted) {
    Unsupported(fpn, "IN_FEATURES",
                fmt::format("is {}, expected {}", fmt::join(found, ","), fmt::join(wanted, ",")));
  }
  blend.fpn_channels = Channels(fpn, "OUT_CHANNELS", 256);
  blend.fpn_norm = UnsharedNorm(fpn, "NORM", "");
  const std::string fuse = fpn.GetString("FUSE_TYPE", "sum");
  if (fuse != "sum" && fuse != "avg") {
    Unsupported(fpn, "FUSE_TYPE", fmt::format("is \"{}\"", fuse));
  }
  blend.fpn_average = fuse == "avg";
  RequireGroups(blend.fpn_norm, blend.fpn_channels, 32, fpn);
}

// Each one a level of the pyramid, fine to coarse.
std::vector<std::string> Levels(const Json& section, std::string_view key,
                                const std::vector<std::string>& otherwise, int64_t top_levels) {
  std::vector<std::string> levels = section.Has(key) ? section.GetStrings(key) : otherwise;
  if (levels.empty()) ConfigError(section, key, "is empty, expected names such as p3");
  for (const std::string& level : levels) {
    const bool known = level.size() == 2 && level[0] == 'p' && level[1] >= '3' && level[1] <= '7';
    if (!known) ConfigError(section, key, fmt::format("holds \"{}\", expected p3 to p7", level));
    if (level[1] - '5' > top_levels) {
      ConfigError(
          section, key,
          fmt::format("holds {}, which MODEL.FCOS.TOP_LEVELS {} does not make", level, top_levels));
    }
  }
  if (std::ranges::adjacent_find(levels, std::greater_equal<>()) != levels.end()) {
    ConfigError(section, key, "must go from fine to coarse, each level once");
  }
  return levels;
}

void ReadHead(const Json& model, BlendMaskConfig& blend) {
  const Json& fcos = Section(model, "FCOS");
  RefuseTrue(fcos, "USE_DEFORMABLE", "deformable convolutions");
  blend.top_levels = BoundedInt(fcos, "TOP_LEVELS", 2, 0, 2);
  blend.levels = Levels(fcos, "IN_FEATURES", blend.levels, blend.top_levels);
  if (fcos.Has("FPN_STRIDES")) blend.strides = fcos.GetInts("FPN_STRIDES");
  if (blend.strides.size() != blend.levels.size()) {
    ConfigError(fcos, "FPN_STRIDES",
                fmt::format("has {} strides for {} levels in MODEL.FCOS.IN_FEATURES",
                            blend.strides.size(), blend.levels.size()));
  }
  for (int64_t stride : blend.strides) {
    if (stride < 1 || stride > 1024) {
      ConfigError(fcos, "FPN_STRIDES", fmt::format("holds {}, expected 1 to 1024", stride));
    }
  }
  blend.tower_norm = Norm(fcos, "NORM", "GN");
  blend.tower_groups = Channels(fcos, "GN_GROUPS", 32);
  blend.cls_convs = BoundedInt(fcos, "NUM_CLS_CONVS", 4, 0, 64);
  blend.box_convs = BoundedInt(fcos, "NUM_BOX_CONVS", 4, 0, 64);
  blend.share_convs = BoundedInt(fcos, "NUM_SHARE_CONVS", 0, 0, 64);
  blend.scales = fcos.GetBool("USE_SCALE", true);
  blend.classes = BoundedInt(fcos, "NUM_CLASSES", 80, 1, 65535);
  RequireGroups(blend.tower_norm, blend.fpn_channels, blend.tower_groups, fcos);
}

void ReadDetections(const Json& model, BlendMaskConfig& blend) {
  const Json& fcos = Section(model, "FCOS");
  blend.threshold_with_centerness = fcos.GetBool("THRESH_WITH_CTR", false);
  blend.score_threshold = static_cast<float>(fcos.GetNumber("INFERENCE_TH_TEST", 0.05));
  if (!(blend.score_threshold >= 0 && blend.score_threshold <= 1)) {
    ConfigError(fcos, "INFERENCE_TH_TEST", "must lie between 0 and 1");
  }
  blend.nms_threshold = fcos.GetNumber("NMS_TH", 0.6);
  if (!(blend.nms_threshold <= 1)) ConfigError(fcos, "NMS_TH", "must be at most 1");
  blend.pre_nms_top_k = BoundedInt(fcos, "PRE_NMS_TOPK_TEST", 1000, 1, kMaxCount);
  blend.post_nms_top_k = BoundedInt(fcos, "POST_NMS_TOPK_TEST", 100, -1, kMaxCount);
}

void ReadBases(const Json& model, BlendMaskConfig& blend) {
  const Json& basis = Section(model, "BASIS_MODULE");
  if (const std::string name = basis.GetString("NAME", "ProtoNet"); name != "ProtoNet") {
    Unsupported(basis, "NAME", fmt::format("is \"{}\"", name));
  }
  blend.bases = BoundedInt(basis, "NUM_BASES", 4, 1, 256);
  blend.basis_channels = Channels(basis, "CONVS_DIM", 128);
  blend.basis_convs = BoundedInt(basis, "NUM_CONVS", 3, 0, 64);
  blend.basis_norm = UnsharedNorm(basis, "NORM", "SyncBN");
  blend.basis_levels = Levels(basis, "IN_FEATURES", blend.basis_levels, blend.top_levels);
  RequireGroups(blend.basis_norm, blend.basis_channels, 32, basis);
}

void ReadBlender(const Json& model, BlendMaskConfig& blend) {
  const Json& blender = Section(model, "BLENDMASK");
  blend.attention_size = BoundedInt(blender, "ATTN_SIZE", 14, 1, 128);
  const std::string interpolation = blender.GetString("TOP_INTERP", "bilinear");
  if (interpolation != "bilinear" && interpolation != "nearest") {
    Unsupported(blender, "TOP_INTERP", fmt::format("is \"{}\"", interpolation));
  }
  blend.nearest_attention = interpolation == "nearest";
  blend.bottom_resolution = BoundedInt(blender, "BOTTOM_RESOLUTION", 56, 1, 1024);
  const std::string pooler = blender.GetString("POOLER_TYPE", "ROIAlignV2");
  if (pooler != "ROIAlignV2" && pooler != "ROIAlign") {
    Unsupported(blender, "POOLER_TYPE", fmt::format("is \"{}\"", pooler));
  }
  blend.aligned_pooler = pooler == "ROIAlignV2";
  blend.pooler_samples = BoundedInt(blender, "POOLER_SAMPLING_RATIO", 1, 1, 16);
  if (blender.Has("POOLER_SCALES")) {
    const std::vector<double> scales = blender.GetNumbers("POOLER_SCALES");
    if (scales.size() != 1) {
      Unsupported(blender, "POOLER_SCALES",
                  fmt::format("has {} scales (pooling from several levels)", scales.size()));
    }
    blend.pooler_scale = scales[0];
    if (!(scales[0] > 0 && scales[0] <= 1)) {
      ConfigError(blender, "POOLER_SCALES", "must lie between 0 and 1");
    }
  }
}

}  // namespace

BlendMaskConfig ParseBlendMaskConfig(const Json& config) {
  const Json& model = config.GetObject("MODEL");
  if (const std::string name = model.GetString("META_ARCHITECTURE"); name != "BlendMask") {
    Unsupported(model, "META_ARCHITECTURE", fmt::format("is \"{}\"", name));
  }
  // detectron2's own default is true; only a file that asks for the head is taken at its word, and
  // a checkpoint that has one is refused by its tensors.
  RefuseTrue(Section(Section(model, "PANOPTIC_FPN"), "COMBINE"), "ENABLED", "the panoptic head");
  const Json& generator = Section(model, "PROPOSAL_GENERATOR");
  if (const std::string name = generator.GetString("NAME", "FCOS"); name != "FCOS") {
    Unsupported(generator, "NAME", fmt::format("is \"{}\"", name));
  }
  BlendMaskConfig blend;
  ReadPictures(config, model, blend);
  ReadBody(model, blend);
  ReadFpn(model, blend);
  ReadHead(model, blend);
  ReadDetections(model, blend);
  ReadBases(model, blend);
  ReadBlender(model, blend);
  return blend;
}

}  // namespace vernier
