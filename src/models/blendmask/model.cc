#include "models/blendmask/model.h"

#include "models/blendmask/blocks.h"
#include "nn/layers.h"
#include "ops/linear.h"

namespace vernier {

Graph BlendMaskGraph(const BlendMaskConfig& c, const BlendMaskOutputs& outputs) {
  Graph graph("blendmask");
  const Path root;
  const Value input = graph.Input(
      "input", DType::kF32, {Dim::Symbol("batch"), 3, Dim::Symbol("height"), Dim::Symbol("width")});
  const Path body = root / "backbone.bottom_up";
  const auto make_body = c.body == BlendMaskBody::kResNet ? blendmask::ResNet : blendmask::Dla34;
  const blendmask::Features pyramid =
      blendmask::FeaturePyramid(make_body(input, c, body), c, root / "backbone");

  // Once the pyramid stands, the levels know nothing of each other, nor of the bases, nor a level's
  // classes of its boxes: the bases are a branch, and each level two. One would not do, the finest
  // level being three quarters of the heads' work.
  int branch = 1;
  graph.SetBranch(branch);
  graph.MarkOutput(blendmask::Bases(pyramid, c, root / "basis_module"), "bases");
  for (int i = 0; i < static_cast<int>(c.levels.size()); ++i) {
    const int of_classes = ++branch, of_boxes = ++branch;
    const std::string& level = c.levels[static_cast<size_t>(i)];
    const blendmask::LevelHeads heads = blendmask::Heads(
        pyramid.at(level), c, {i, of_classes, of_boxes}, root / "proposal_generator.fcos_head");
    graph.MarkOutput(heads.cls_logits, "cls_logits." + level);
    graph.MarkOutput(heads.bbox_reg, "bbox_reg." + level);
    graph.MarkOutput(heads.centerness, "ctrness." + level);
    graph.SetBranch(of_boxes);
    const Path top = root / "top_layer";
    const Value top_features =
        nn::Conv(heads.bbox_tower, {.out = c.attention_channels(), .kernel = 3, .bias = true}, top,
                 top / ("#" + level));
    graph.AddAlias(top_features, "top_feat." + level);
    if (outputs.dense_top_features) {
      graph.MarkOutput(top_features, "top_feat." + level);
    } else {
      graph.MarkOutput(heads.bbox_tower, "bbox_tower." + level);
    }
  }
  graph.SetBranch(0);
  return graph;
}

Graph BlendMaskTopGraph(const BlendMaskConfig& c) {
  Graph graph("blendmask_top");
  const Path top("top_layer");
  const int64_t window = 9 * c.fpn_channels, out = c.attention_channels();
  const Value windows = graph.Input("windows", DType::kF32, {Dim::Symbol("locations"), window});
  const Value weight =
      graph.Weight(top / "weight", Shape{out, window}, Shape{out, c.fpn_channels, 3, 3});
  const Value bias = graph.Weight(top / "bias", Shape{out});
  graph.MarkOutput(graph.Add(kLinear, Attributes::Of(Linear{}), {windows, weight, bias}, top),
                   "top_feat");
  return graph;
}

}  // namespace vernier
