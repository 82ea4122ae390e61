// Conv2d: torch.nn.functional.conv2d on maps [batch, channels, height, width], without dilation.
// FusedConv2d: what the passes make of Conv2d and its neighbours; models never use it.
#pragma once

#include "graph/op.h"
#include "ops/elementwise.h"

namespace vernier {

/// inputs: x [n, c, h, w], weight [out, c / groups, kernel_h, kernel_w], bias? [out]
struct Conv2d {
  int64_t stride = 1;
  int64_t padding = 0;  // zeros on all four sides
  int64_t groups = 1;
};

/// y = act(norm(conv(x)) + residual), the norm being a BatchNorm with the convolution's bias and
/// weights folded into one product when they are packed.
/// inputs: x, weight, bias?, then gain, shift, mean and variance of the norm (all or none),
/// residual? of the result's shape
struct FusedConv2d {
  Conv2d conv;
  double eps = 0;  // the norm's
  ActivationKind activation = ActivationKind::kNone;

  static constexpr size_t kX = 0, kWeight = 1, kBias = 2, kGain = 3, kShift = 4, kMean = 5,
                          kVariance = 6, kResidual = 7, kInputs = 8;
};

extern const OpDef kConv2d;
extern const OpDef kFusedConv2d;

}  // namespace vernier
