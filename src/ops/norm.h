// LayerNorm over the last axis: (x - mean) / sqrt(var + eps) * gain + bias, biased variance
// (Ba et al. 2016; torch.nn.LayerNorm). RmsNorm: x / sqrt(mean(x^2) + eps) * gain, no mean taken
// off and no bias (Zhang & Sennrich 2019; T5's layer norm). BatchNorm and GroupNorm are those of
// maps [batch, channels, ...], as torch's at inference. Softmax over the last axis, row maximum
// subtracted. Mean over one axis, which is dropped.
#pragma once

#include "graph/op.h"
#include "ops/elementwise.h"

namespace vernier {

/// inputs: x [..., n], gain [n], bias [n]
struct LayerNorm {
  double eps;
};
/// inputs: x [..., n], gain [n]
struct RmsNorm {
  double eps;
};
/// y = (x - mean) / sqrt(variance + eps) * gain + shift, per channel.
/// inputs: x [batch, channels, ...], gain, shift, mean, variance [channels]
struct BatchNorm {
  double eps;
};
/// As LayerNorm over all of a group of consecutive channels, gain and shift per channel.
/// inputs: x [batch, channels, ...], gain, shift [channels]
struct GroupNorm {
  int64_t groups;
  double eps;
};
/// y = act(GroupNorm(x)): what the passes make of the two; models never use it. Inputs as
/// GroupNorm's.
struct FusedGroupNorm {
  GroupNorm norm;
  ActivationKind activation = ActivationKind::kNone;  // or kRelu
};
struct Softmax {};
struct Mean {
  int axis;
};

extern const OpDef kLayerNorm;
extern const OpDef kRmsNorm;
extern const OpDef kBatchNorm;
extern const OpDef kGroupNorm;
extern const OpDef kFusedGroupNorm;
extern const OpDef kSoftmax;
extern const OpDef kMean;

}  // namespace vernier
