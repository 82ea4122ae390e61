// FCOS's heads (Tian et al. 2019): the same convolutions on every level of the pyramid. A node's
// name ends in the level's, since the module that it belongs to runs once per level.
#include "models/blendmask/blocks.h"
#include "nn/layers.h"

namespace vernier::blendmask {
namespace {

class LevelHead {
 public:
  LevelHead(const BlendMaskConfig& config, int index, const Path& at)
      : c_(config), index_(index), at_(at) {}

  // (Convolution, norm, ReLU) times `convs`; no convolution gives the input itself. The modules of
  // torch.nn.Sequential are counted, so that without a norm the numbers run closer.
  Value Tower(Value x, const char* name, int64_t convs) const {
    const Path tower = at_ / name;
    const int step = c_.tower_norm == BlendMaskNorm::kNone ? 2 : 3;
    for (int i = 0; i < static_cast<int>(convs); ++i) {
      const Path conv = tower / (step * i), norm = tower / (step * i + 1);
      x = nn::Conv(x, {.out = c_.fpn_channels, .kernel = 3, .bias = true}, conv, OnLevel(conv));
      const bool per_level = c_.tower_norm == BlendMaskNorm::kBatch;
      x = Norm(x, c_.tower_norm, c_.tower_groups, per_level ? norm / index_ : norm, OnLevel(norm));
      x = Relu(x, OnLevel(tower / (step * i + step - 1)));
    }
    return x;
  }

  Value Predict(Value x, const char* name, int64_t out) const {
    const Path conv = at_ / name;
    return nn::Conv(x, {.out = out, .kernel = 3, .bias = true}, conv, OnLevel(conv));
  }

  Value Distances(Value x) const {
    x = Predict(x, "bbox_pred", 4);
    if (c_.scales) {
      const Path scale = at_ / "scales" / index_;
      const Value factor = x.graph->Weight(scale / "scale", Shape{1});
      x = x.graph->Add(kBinary, Attributes::Of(Binary{BinaryKind::kMul}), {x, factor}, scale);
    }
    return Relu(x, OnLevel(at_ / "bbox_pred#relu"));
  }

  Path OnLevel(const Path& path) const {
    return path / ("#" + c_.levels[static_cast<size_t>(index_)]);
  }

 private:
  const BlendMaskConfig& c_;
  int index_;
  Path at_;
};

}  // namespace

LevelHeads Heads(Value x, const BlendMaskConfig& c, const HeadPlace& place, const Path& at) {
  const LevelHead head(c, place.index, at);
  Graph& graph = *x.graph;
  LevelHeads heads;
  graph.SetBranch(place.class_branch);
  x = head.Tower(x, "share_tower", c.share_convs);
  const Value cls = head.Tower(x, "cls_tower", c.cls_convs);
  heads.cls_logits = head.Predict(cls, "cls_logits", c.classes);
  graph.SetBranch(place.box_branch);
  const Value bbox = heads.bbox_tower = head.Tower(x, "bbox_tower", c.box_convs);
  heads.bbox_reg = head.Distances(bbox);
  heads.centerness = head.Predict(bbox, "ctrness", 1);
  const std::string& level = c.levels[static_cast<size_t>(place.index)];
  graph.AddAlias(cls, "cls_tower." + level);
  graph.AddAlias(bbox, "bbox_tower." + level);
  graph.AddAlias(heads.cls_logits, "cls_logits." + level);
  graph.AddAlias(heads.bbox_reg, "bbox_reg." + level);
  graph.AddAlias(heads.centerness, "ctrness." + level);
  return heads;
}

}  // namespace vernier::blendmask
