// Linear: y = x * transpose(w) + b, as torch.nn.Linear. x [..., in], w [out, in], b [out] optional.
// MatMul: batched product of a [..., m, k] and b [..., k, n] (ONNX MatMul).
// FusedLinear: what the fusion passes make of Linear and its neighbours; models never use it.
#pragma once

#include "graph/op.h"
#include "ops/elementwise.h"

namespace vernier {

struct Linear {};
struct MatMul {};

/// y = act(x * transpose(concat(w_0..w_p)) + concat(b_0..b_p)) * scale + residual, or, gated, with
/// two parts and nothing else y = act(x * transpose(w_0)) . (x * transpose(w_1))
/// With one part, a BatchNorm of x * transpose(w_0) + b_0 may be folded into w_0 and b_0 when they
/// are packed.
/// inputs: x, w_0..w_{parts-1}, b_0..b_{parts-1} (each may be absent), scale?, residual?, and, if
/// `norm`, the gain, shift, mean and variance of the norm
struct FusedLinear {
  int parts = 1;
  ActivationKind activation = ActivationKind::kNone;
  bool gated = false;
  bool norm = false;
  double eps = 0;  // the norm's

  int weight(int part) const { return 1 + part; }
  int bias(int part) const { return 1 + parts + part; }
  int scale() const { return 1 + 2 * parts; }
  int residual() const { return 2 + 2 * parts; }
  int gain() const { return residual() + 1; }  // then shift, mean and variance
  int inputs() const { return 3 + 2 * parts + (norm ? 4 : 0); }
};

extern const OpDef kLinear;
extern const OpDef kMatMul;
extern const OpDef kFusedLinear;

}  // namespace vernier
