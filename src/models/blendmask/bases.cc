// ProtoNet: the bases that detections blend to masks.
#include "models/blendmask/blocks.h"
#include "nn/layers.h"

namespace vernier::blendmask {
namespace {

// Sequential of convolution, norm and ReLU.
Value RefinedBy(Value x, const BlendMaskConfig& c, const Path& at) {
  x = nn::Conv(x, {.out = c.basis_channels, .kernel = 3}, at / 0, at / 0);
  x = Norm(x, c.basis_norm, kGroups, at / 1, at / 1);
  return Relu(x, at);
}

}  // namespace

Value Bases(const Features& pyramid, const BlendMaskConfig& c, const Path& at) {
  Value fused;
  for (size_t i = 0; i < c.basis_levels.size(); ++i) {
    const Path refine = at / "refine" / static_cast<int>(i);
    Value x = RefinedBy(pyramid.at(c.basis_levels[i]), c, refine);
    if (fused.exists()) {
      x = nn::ResizeLike(x, fused, MapResampling::kBilinear, refine / "#upper");
      x = nn::Add(fused, x, refine / "#sum");
    }
    fused = x;
  }
  Graph& graph = *fused.graph;
  graph.AddAlias(fused, "basis_fused");
  const Path tower = at / "tower";
  const auto convs = static_cast<int>(c.basis_convs);
  Value x = fused;
  for (int i = 0; i < convs; ++i) x = RefinedBy(x, c, tower / i);
  x = nn::Doubled(x, MapResampling::kBilinear, tower / convs);
  x = RefinedBy(x, c, tower / (convs + 1));
  const Path last = tower / (convs + 2);
  x = nn::Conv(x, {.out = c.bases, .kernel = 1, .bias = true}, last, last);
  graph.AddAlias(x, tower.text());
  graph.AddAlias(x, "bases");
  return x;
}

}  // namespace vernier::blendmask
