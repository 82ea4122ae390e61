// Elementwise ops: Unary, Binary (NumPy broadcasting), Activation (a composite), Constant, Cast.
#pragma once

#include "graph/op.h"

namespace vernier {

enum class UnaryKind { kErf, kTanh, kSqrt, kSigmoid, kRelu };
enum class BinaryKind { kAdd, kSub, kMul, kDiv };

/// gelu: 0.5x(1 + erf(x / sqrt 2)); gelu_tanh: 0.5x(1 + tanh(sqrt(2/pi)(x + 0.044715x^3)))
/// (Hendrycks & Gimpel 2016); quick_gelu: x * sigmoid(1.702x); silu: x * sigmoid(x).
enum class ActivationKind { kNone, kGelu, kGeluTanh, kQuickGelu, kRelu, kTanh, kSilu };

struct Unary {
  UnaryKind kind;
};
struct Binary {
  BinaryKind kind;
};
struct ActivationOp {
  ActivationKind kind;
};
/// One number, shape [].
struct Constant {
  float value;
};
/// Changes the storage type; inserted by the precision pass, not used by models.
struct Cast {
  DType to;
};

const char* Name(UnaryKind kind);
const char* Name(BinaryKind kind);
const char* Name(ActivationKind kind);

extern const OpDef kUnary;
extern const OpDef kBinary;
extern const OpDef kActivation;
extern const OpDef kConstant;
extern const OpDef kCast;

}  // namespace vernier
