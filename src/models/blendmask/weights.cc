#include "models/blendmask/weights.h"

#include <fmt/format.h>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kHead = "proposal_generator.fcos_head.";
constexpr const char* kRightFile = "use the yaml that the checkpoint was published with";

[[noreturn]] void Refuse(const std::string& where, const std::string& what,
                         const char* hint = kRightFile) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", where, what), hint);
}

const char* Described(BlendMaskNorm norm) {
  switch (norm) {
    case BlendMaskNorm::kNone:
      return "no norm";
    case BlendMaskNorm::kBatch:
      return "one BN for each level (SyncBN or BN)";
    case BlendMaskNorm::kSharedBatch:
      return "one BN for all levels (BN_SHARED)";
    case BlendMaskNorm::kGroup:
      return "GN";
  }
  return "";
}

// By the tensors behind a tower's first convolution.
BlendMaskNorm NormBehind(const std::string& tower, const BlendMaskShapeOf& shape_of) {
  if (shape_of(tower + ".1.0.weight")) return BlendMaskNorm::kBatch;
  if (shape_of(tower + ".1.running_mean")) return BlendMaskNorm::kSharedBatch;
  if (shape_of(tower + ".1.weight")) return BlendMaskNorm::kGroup;
  return BlendMaskNorm::kNone;
}

void RequireTowerNorm(const BlendMaskConfig& config, const BlendMaskShapeOf& shape_of,
                      const std::string& where) {
  for (const char* name : {"share_tower", "cls_tower", "bbox_tower"}) {
    const std::string tower = std::string(kHead) + name;
    if (!shape_of(tower + ".0.weight")) continue;
    const BlendMaskNorm found = NormBehind(tower, shape_of);
    if (found == config.tower_norm) continue;
    Refuse(where, fmt::format("MODEL.FCOS.NORM asks for {}, the checkpoint's {} has {}",
                              Described(config.tower_norm), tower, Described(found)));
  }
}

void RequireBodyNorm(const BlendMaskConfig& config, const BlendMaskShapeOf& shape_of,
                     const std::string& where) {
  const bool resnet = config.body == BlendMaskBody::kResNet;
  const std::string norm =
      resnet ? "backbone.bottom_up.stem.conv1.norm" : "backbone.bottom_up.base_layer.1";
  if (!shape_of(norm + ".weight")) return;
  const bool batch = shape_of(norm + ".running_mean").has_value();
  const char* key = resnet ? "MODEL.RESNETS.NORM" : "MODEL.DLA.NORM";
  if (batch && config.body_norm == BlendMaskNorm::kGroup) {
    Refuse(where, fmt::format("{} asks for GN, the checkpoint's {} is a batch norm", key, norm));
  }
  if (!batch && config.body_norm == BlendMaskNorm::kBatch && !config.frozen_body) {
    Refuse(where,
           fmt::format("{} asks for a batch norm, the checkpoint's {} has no running_mean, as GN "
                       "and old FrozenBN have none",
                       key, norm));
  }
}

}  // namespace

bool IsUnusedByBlendMask(std::string_view tensor) {
  if (tensor.ends_with(".num_batches_tracked")) return true;
  for (const char* module : {"basis_module.seg_head.", "backbone.bottom_up.level3.project.",
                             "backbone.bottom_up.level4.project."}) {
    if (tensor.starts_with(module)) return true;
  }
  return false;
}

void RequireBlendMaskTensors(const BlendMaskConfig& config, const BlendMaskShapeOf& shape_of,
                             const std::string& where) {
  constexpr const char* kUnsupported = "supported are BlendMask's published instance models";
  for (const char* panoptic : {"panoptic_module.predictor.weight", "panoptic_module.p3.0.weight",
                               "panoptic_module.p2.0.weight"}) {
    if (shape_of(panoptic)) {
      Refuse(where, fmt::format("it has a panoptic head ({}), which is not supported", panoptic),
             kUnsupported);
    }
  }
  for (const char* stage : {"res3", "res4", "res5"}) {
    const std::string offset = fmt::format("backbone.bottom_up.{}.0.conv2_offset.weight", stage);
    if (shape_of(offset)) {
      Refuse(where,
             fmt::format("it has deformable convolutions ({}), which are not supported", offset),
             kUnsupported);
    }
  }
  RequireTowerNorm(config, shape_of, where);
  RequireBodyNorm(config, shape_of, where);
  const auto logits = shape_of(std::string(kHead) + "cls_logits.weight");
  if (logits && logits->rank() == 4 && (*logits)[0] != config.classes) {
    Refuse(where,
           fmt::format("MODEL.FCOS.NUM_CLASSES is {}, the checkpoint has {}", config.classes,
                       (*logits)[0]),
           "set NUM_CLASSES to what the checkpoint was trained with");
  }
}

}  // namespace vernier
