#include "backends/ref/kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>
#include <vector>

#include "backends/ref/attention.h"
#include "backends/ref/gather.h"
#include "backends/ref/gemm.h"
#include "backends/ref/maps.h"
#include "backends/ref/picture_grids.h"
#include "backends/ref/positions.h"
#include "core/check.h"
#include "core/parallel.h"
#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/map_ops.h"
#include "ops/norm.h"
#include "ops/picture_grids.h"
#include "ops/resize_grid.h"
#include "ops/rope.h"
#include "ops/shape_ops.h"

namespace vernier {
namespace {

constexpr int64_t kRowGrain = 16;

// Calls body(row) for each row of `tensor`, rows split over threads.
template <typename Body>
void ForRows(const RefArgs& args, const TensorArg& tensor, Body body) {
  ParallelFor(args.threads, tensor.rows(), kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

void RunLinear(const RefArgs& args) {
  const TensorArg& x = args.inputs[0];
  const TensorArg& w = args.inputs[1];
  const bool has_bias = args.inputs.size() > 2 && args.inputs[2].exists();
  const TensorArg& y = args.outputs[0];
  BlockedGemm({.m = x.rows(),
               .n = y.columns(),
               .k = x.columns(),
               .a = x.row<float>(0),
               .a_stride = x.row_stride,
               .w = w.row<float>(0),
               .w_row = w.row_stride,
               .bias = has_bias ? args.inputs[2].row<float>(0) : nullptr,
               .y = y.row<float>(0),
               .y_stride = y.row_stride,
               .cancel = args.cancel},
              args.threads);
}

// Offset of batch `index` (counted over the output's leading axes) in a broadcast operand.
int64_t BatchRow(const Shape& operand, const Shape& out, int64_t index) {
  int64_t row = 0, scale = 1;
  for (int axis = out.rank() - 3, own = operand.rank() - 3; axis >= 0; --axis, --own) {
    const int64_t position = index % out[axis];
    index /= out[axis];
    if (own < 0) continue;
    if (operand[own] != 1) row += position * scale;
    scale *= operand[own];
  }
  return row;
}

void RunMatMul(const RefArgs& args) {
  const TensorArg &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const int64_t m = y.shape[-2], n = y.shape[-1], k = a.shape[-1];
  const int64_t batches = m * n == 0 ? 0 : y.shape.elements() / (m * n);
  for (int64_t i = 0; i < batches; ++i) {
    BlockedGemm({.m = m,
                 .n = n,
                 .k = k,
                 .a = a.row<float>(BatchRow(a.shape, y.shape, i) * m),
                 .a_stride = a.row_stride,
                 .w = b.row<float>(BatchRow(b.shape, y.shape, i) * k),
                 .w_row = 1,
                 .w_column = b.row_stride,
                 .y = y.row<float>(i * m),
                 .y_stride = y.row_stride,
                 .cancel = args.cancel},
                args.threads);
  }
}

double Apply(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kErf:
      return std::erf(x);
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kSqrt:
      return std::sqrt(x);
    case UnaryKind::kSigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case UnaryKind::kRelu:
      return std::max(x, 0.0);
  }
  return x;
}

double Apply(ActivationKind kind, double x) {
  constexpr double kRootTwoOverPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  switch (kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kGelu:
      return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
    case ActivationKind::kGeluTanh:
      return 0.5 * x * (1.0 + std::tanh(kRootTwoOverPi * (x + 0.044715 * x * x * x)));
    case ActivationKind::kQuickGelu:
      return x / (1.0 + std::exp(-1.702 * x));
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSilu:
      return x / (1.0 + std::exp(-x));
  }
  return x;
}

template <typename Kind>
void Map(const RefArgs& args, Kind kind) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  ForRows(args, y, [&](int64_t row) {
    const float* from = x.row<float>(row);
    float* to = y.row<float>(row);
    for (int64_t c = 0; c < y.columns(); ++c) to[c] = static_cast<float>(Apply(kind, from[c]));
  });
}

void RunUnary(const RefArgs& args) { Map(args, args.attributes.get<Unary>().kind); }
void RunActivation(const RefArgs& args) { Map(args, args.attributes.get<ActivationOp>().kind); }

float Apply(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
  }
  return a;
}

// Row of a broadcast operand that goes with row `index` of the output.
int64_t OperandRow(const TensorArg& operand, const Shape& out, int64_t index) {
  int64_t row = 0, scale = 1;
  for (int axis = out.rank() - 2, own = operand.shape.rank() - 2; axis >= 0; --axis, --own) {
    const int64_t position = index % out[axis];
    index /= out[axis];
    if (own < 0) continue;
    if (operand.shape[own] != 1) row += position * scale;
    scale *= operand.shape[own];
  }
  return row;
}

void RunBinary(const RefArgs& args) {
  const TensorArg &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const BinaryKind kind = args.attributes.get<Binary>().kind;
  const int64_t a_step = a.columns() == 1 ? 0 : 1, b_step = b.columns() == 1 ? 0 : 1;
  ForRows(args, y, [&](int64_t row) {
    const float* left = a.row<float>(OperandRow(a, y.shape, row));
    const float* right = b.row<float>(OperandRow(b, y.shape, row));
    float* to = y.row<float>(row);
    for (int64_t c = 0; c < y.columns(); ++c)
      to[c] = Apply(kind, left[c * a_step], right[c * b_step]);
  });
}

void RunConstant(const RefArgs& args) {
  *args.outputs[0].row<float>(0) = args.attributes.get<Constant>().value;
}

void RunLayerNorm(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const float* gain = args.inputs[1].row<float>(0);
  const float* bias = args.inputs[2].row<float>(0);
  const double eps = args.attributes.get<LayerNorm>().eps;
  const int64_t n = x.columns();
  ForRows(args, y, [&](int64_t row) {
    const float* from = x.row<float>(row);
    float* to = y.row<float>(row);
    double sum = 0;
    for (int64_t c = 0; c < n; ++c) sum += from[c];
    const double mean = sum / static_cast<double>(n);
    double squares = 0;
    for (int64_t c = 0; c < n; ++c) squares += (from[c] - mean) * (from[c] - mean);
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + eps);
    for (int64_t c = 0; c < n; ++c) {
      to[c] = static_cast<float>((from[c] - mean) * scale * gain[c] + bias[c]);
    }
  });
}

void RunRmsNorm(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const float* gain = args.inputs[1].row<float>(0);
  const double eps = args.attributes.get<RmsNorm>().eps;
  const int64_t n = x.columns();
  ForRows(args, y, [&](int64_t row) {
    const float* from = x.row<float>(row);
    float* to = y.row<float>(row);
    double squares = 0;
    for (int64_t c = 0; c < n; ++c) squares += static_cast<double>(from[c]) * from[c];
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + eps);
    for (int64_t c = 0; c < n; ++c) to[c] = static_cast<float>(from[c] * scale * gain[c]);
  });
}

void RunSoftmax(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  ForRows(args, y, [&](int64_t row) {
    const float* from = x.row<float>(row);
    float* to = y.row<float>(row);
    const double top = *std::max_element(from, from + x.columns());
    double sum = 0;
    for (int64_t c = 0; c < x.columns(); ++c) sum += std::exp(from[c] - top);
    for (int64_t c = 0; c < x.columns(); ++c) {
      to[c] = static_cast<float>(std::exp(from[c] - top) / sum);
    }
  });
}

// Extents before, of and after one axis.
struct AxisSplit {
  int64_t outer = 1, middle = 1, inner = 1;
};

AxisSplit SplitAt(const Shape& shape, int axis) {
  AxisSplit split;
  const int normal = axis < 0 ? axis + shape.rank() : axis;
  for (int i = 0; i < shape.rank(); ++i) {
    (i < normal ? split.outer : i == normal ? split.middle : split.inner) *= shape[i];
  }
  return split;
}

// Element of a row-strided operand by its dense index.
template <typename T>
T& At(const TensorArg& tensor, int64_t index) {
  return tensor.row<T>(index / tensor.columns())[index % tensor.columns()];
}

void RunMean(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const AxisSplit split = SplitAt(x.shape, args.attributes.get<Mean>().axis);
  for (int64_t o = 0; o < split.outer; ++o) {
    for (int64_t i = 0; i < split.inner; ++i) {
      double sum = 0;
      for (int64_t m = 0; m < split.middle; ++m) {
        sum += At<float>(x, (o * split.middle + m) * split.inner + i);
      }
      At<float>(y, o * split.inner + i) =
          static_cast<float>(sum / static_cast<double>(split.middle));
    }
  }
}

// Byte address of row `index` of an operand of any element type.
char* RowBytes(const TensorArg& tensor, int64_t index) {
  return static_cast<char*>(tensor.data) +
         index * tensor.row_stride * static_cast<int64_t>(ByteSize(tensor.dtype));
}

// Copies `count` elements from column `from_column` of a row to column `to_column` of another.
void CopyRow(const TensorArg& from, int64_t from_row, int64_t from_column, const TensorArg& to,
             int64_t to_row, int64_t to_column, int64_t count) {
  const size_t element = ByteSize(to.dtype);
  std::memcpy(RowBytes(to, to_row) + static_cast<size_t>(to_column) * element,
              RowBytes(from, from_row) + static_cast<size_t>(from_column) * element,
              static_cast<size_t>(count) * element);
}

void RunReshape(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  int64_t done = 0;
  while (done < y.shape.elements()) {  // runs that stay within a row on both sides
    const int64_t from_column = done % x.columns(), to_column = done % y.columns();
    const int64_t count = std::min(x.columns() - from_column, y.columns() - to_column);
    CopyRow(x, done / x.columns(), from_column, y, done / y.columns(), to_column, count);
    done += count;
  }
}

void RunTranspose(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const auto& order = args.attributes.get<Transpose>().order;
  std::vector<int64_t> strides(order.size(), 1);  // of x, in dense elements
  for (int axis = x.shape.rank() - 2; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = strides[static_cast<size_t>(axis + 1)] * x.shape[axis + 1];
  }
  const int last = order.back();
  const int64_t step = strides[static_cast<size_t>(last)];
  ForRows(args, y, [&](int64_t row) {
    int64_t index = row, from = 0;
    for (int axis = y.shape.rank() - 2; axis >= 0; --axis) {
      from +=
          index % y.shape[axis] * strides[static_cast<size_t>(order[static_cast<size_t>(axis)])];
      index /= y.shape[axis];
    }
    float* to = y.row<float>(row);
    for (int64_t c = 0; c < y.columns(); ++c) to[c] = At<float>(x, from + c * step);
  });
}

void RunSlice(const RefArgs& args) {
  const auto& slice = args.attributes.get<Slice>();
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t begin = slice.begin.Evaluate(args.extents);
  const int axis = slice.axis < 0 ? slice.axis + x.shape.rank() : slice.axis;
  VN_CHECK(begin >= 0 && begin + y.shape[axis] <= x.shape[axis], "slice beyond its axis");
  if (axis == x.shape.rank() - 1) {
    for (int64_t row = 0; row < y.rows(); ++row) CopyRow(x, row, begin, y, row, 0, y.columns());
    return;
  }
  if (y.rows() == 0) return;
  const int64_t inner = SplitAt(x.shape, axis).inner / x.columns();  // rows per index
  for (int64_t row = 0; row < y.rows(); ++row) {
    const int64_t outer = row / (y.shape[axis] * inner), rest = row % (y.shape[axis] * inner);
    CopyRow(x, (outer * x.shape[axis] + begin) * inner + rest, 0, y, row, 0, y.columns());
  }
}

void RunConcat(const RefArgs& args) {
  const TensorArg& y = args.outputs[0];
  int axis = args.attributes.get<Concat>().axis;
  if (axis < 0) axis += y.shape.rank();
  int64_t at = 0;
  for (const TensorArg& x : args.inputs) {
    if (axis == y.shape.rank() - 1) {
      for (int64_t row = 0; row < x.rows(); ++row) CopyRow(x, row, 0, y, row, at, x.columns());
    } else if (x.shape.elements() > 0) {
      const int64_t inner = SplitAt(y.shape, axis).inner / y.columns();
      const int64_t run = x.shape[axis] * inner;  // rows of x between two of its neighbours' runs
      for (int64_t row = 0; row < x.rows(); ++row) {
        const int64_t to = (row / run * y.shape[axis] + at) * inner + row % run;
        CopyRow(x, row, 0, y, to, 0, y.columns());
      }
    }
    at += x.shape[axis];
  }
}

void RunExpand(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t step = x.columns() == 1 ? 0 : 1;
  ForRows(args, y, [&](int64_t row) {
    const float* from = x.row<float>(OperandRow(x, y.shape, row));
    float* to = y.row<float>(row);
    for (int64_t c = 0; c < y.columns(); ++c) to[c] = from[c * step];
  });
}

void RunPatchify(const RefArgs& args) {
  const auto& patch = args.attributes.get<Patchify>();
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t channels = x.shape[1], height = x.shape[2], width = x.shape[3];
  const int64_t columns = width / patch.patch_width, tokens = y.shape[1];
  ForRows(args, y, [&](int64_t row) {
    const int64_t image = row / tokens, token = row % tokens;
    const int64_t top = token / columns * patch.patch_height;
    const int64_t left = token % columns * patch.patch_width;
    float* to = y.row<float>(row);
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t dy = 0; dy < patch.patch_height; ++dy) {
        const int64_t from = ((image * channels + c) * height + top + dy);
        const float* pixels = x.row<float>(from) + left;
        to = std::copy(pixels, pixels + patch.patch_width, to);
      }
    }
  });
}

constexpr std::pair<const OpDef*, RefKernel> kKernels[] = {
    {&kActivation, RunActivation},
    {&kAttention, RefAttention},
    {&kBatchNorm, RefBatchNorm},
    {&kBinary, RunBinary},
    {&kCachedAttention, RefCachedAttention},
    {&kConcat, RunConcat},
    {&kConstant, RunConstant},
    {&kConv2d, RefConv2d},
    {&kDistanceBias, RefDistanceBias},
    {&kExpand, RunExpand},
    {&kGather, RefGather},
    {&kGridPositions, RefGridPositions},
    {&kGridRotary, RefGridRotary},
    {&kGridSegments, RefGridSegments},
    {&kGroupNorm, RefGroupNorm},
    {&kKvAppend, RefKvAppend},
    {&kLayerNorm, RunLayerNorm},
    {&kLinear, RunLinear},
    {&kMatMul, RunMatMul},
    {&kMaxPool2d, RefMaxPool2d},
    {&kMean, RunMean},
    {&kMergeGrid, RefMergeGrid},
    {&kMultimodalRopeTable, RefMultimodalRopeTable},
    {&kPatchify, RunPatchify},
    {&kPlacePictures, RefPlacePictures},
    {&kReshape, RunReshape},
    {&kResizeGrid, RefResizeGrid},
    {&kResizeMap, RefResizeMap},
    {&kRmsNorm, RunRmsNorm},
    {&kRope, RefRope},
    {&kRopeTable2d, RefRopeTable2d},
    {&kSlice, RunSlice},
    {&kSoftmax, RunSoftmax},
    {&kTranspose, RunTranspose},
    {&kUnary, RunUnary},
};

}  // namespace

RefKernel FindRefKernel(const OpDef& op) {
  for (const auto& [known, kernel] : kKernels) {
    if (known == &op) return kernel;
  }
  return nullptr;
}

}  // namespace vernier
