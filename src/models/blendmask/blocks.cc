#include "models/blendmask/blocks.h"

#include "nn/layers.h"

namespace vernier::blendmask {

Value Norm(Value x, BlendMaskNorm kind, int64_t groups, const Path& weights, const Path& at) {
  switch (kind) {
    case BlendMaskNorm::kBatch:
    case BlendMaskNorm::kSharedBatch:
      return nn::BatchNorm(x, kNormEps, weights, at);
    case BlendMaskNorm::kGroup:
      return nn::GroupNorm(x, groups, kNormEps, weights, at);
    case BlendMaskNorm::kNone:
      break;
  }
  return x;
}

Value Relu(Value x, const Path& at) { return nn::Activate(x, ActivationKind::kRelu, at); }

Value ConvWithNorm(Value x, const nn::Convolution& conv, BlendMaskNorm norm, const Path& at) {
  if (norm == BlendMaskNorm::kNone) return nn::Conv(x, conv, at, at);
  x = nn::Conv(x, conv, at, at / "#conv");
  x = Norm(x, norm, kGroups, at / "norm", at / "norm");
  x.graph->AddAlias(x, at.text());
  return x;
}

}  // namespace vernier::blendmask
