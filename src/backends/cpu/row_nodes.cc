// Ops on the CPU whose kernels take rows: each binds a kernel function to attributes and deals the
// rows out to the team.
#include <algorithm>
#include <functional>

#include "backends/cpu/nodes.h"
#include "core/parallel.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/layer_norm.h"
#include "kernels/cpu/rms_norm.h"
#include "kernels/cpu/rotary.h"
#include "ops/elementwise.h"
#include "ops/norm.h"
#include "ops/rope.h"

namespace vernier {
namespace {

// Rows per piece of work: some microseconds of it at usual widths.
constexpr int64_t kGrain = 8;

// Runs `body(args, begin, end)` over the rows of the first output.
class RowKernel final : public Kernel {
 public:
  using Body = std::function<void(const RunArgs&, int64_t begin, int64_t end)>;

  RowKernel(KernelInfo info, Body body) : info_(std::move(info)), body_(std::move(body)) {}

  void Run(const RunArgs& args) const override {
    ParallelFor(args.threads, args.outputs[0].rows(), kGrain,
                [&](int64_t begin, int64_t end) { body_(args, begin, end); });
  }

  KernelInfo info() const override { return info_; }

 private:
  KernelInfo info_;
  Body body_;
};

class RowNode final : public PreparedNode {
 public:
  RowNode(KernelInfo info, RowKernel::Body body) : info_(std::move(info)), body_(std::move(body)) {}

  std::unique_ptr<Kernel> Bind(const BindArgs&) const override {
    return std::make_unique<RowKernel>(info_, body_);
  }

 private:
  KernelInfo info_;
  RowKernel::Body body_;
};

std::unique_ptr<PreparedNode> Rows(Isa isa, const char* kernel, RowKernel::Body body) {
  return std::make_unique<RowNode>(KernelInfo{"vernier", Name(RowIsa(isa)), kernel},
                                   std::move(body));
}

void* RowAddress(const TensorArg& x, int64_t row) {
  return static_cast<char*>(x.data) + row * x.row_stride * static_cast<int64_t>(ByteSize(x.dtype));
}

ElementRows RowsFrom(const TensorArg& x, int64_t row) {
  return {RowAddress(x, row), ElementOf(x.dtype), x.row_stride};
}

ConstElementRows ConstRowsFrom(const TensorArg& x, int64_t row) {
  return {RowAddress(x, row), ElementOf(x.dtype), x.row_stride};
}

std::unique_ptr<PreparedNode> ActivateRows(Isa isa, const char* name, Activation activation) {
  return Rows(isa, name, [isa, activation](const RunArgs& args, int64_t begin, int64_t end) {
    SelectElementwise(isa).activate({.rows = end - begin,
                                     .columns = args.outputs[0].columns(),
                                     .in = ConstRowsFrom(args.inputs[0], begin),
                                     .activation = activation,
                                     .out = RowsFrom(args.outputs[0], begin)});
  });
}

// Whether b, without its leading ones, is a's last dimensions, so that its rows repeat in order.
bool RepeatsByRows(const ValueType& a, const ValueType& b) {
  Dims tail = b.shape;
  while (tail.size() > 1 && tail.front() == Dim(1)) tail.erase(tail.begin());
  return !tail.empty() && tail.size() <= a.shape.size() &&
         std::equal(tail.rbegin(), tail.rend(), a.shape.rbegin());
}

std::unique_ptr<PreparedNode> AddRows(Isa isa) {
  return Rows(isa, "add", [isa](const RunArgs& args, int64_t begin, int64_t end) {
    const TensorArg& b = args.inputs[1];
    const int64_t period = b.rows();
    // Pieces that start within a period go row by row up to its end, then whole.
    while (begin < end) {
      const int64_t at = begin % period;
      const int64_t rows = at == 0 ? end - begin : std::min(end - begin, period - at);
      SelectElementwise(isa).add({.rows = rows,
                                  .columns = args.outputs[0].columns(),
                                  .a = ConstRowsFrom(args.inputs[0], begin),
                                  .b = ConstRowsFrom(b, at),
                                  .b_period = at == 0 ? period : rows,
                                  .out = RowsFrom(args.outputs[0], begin)});
      begin += rows;
    }
  });
}

std::unique_ptr<PreparedNode> ScaleRows(Isa isa) {
  return Rows(isa, "scale_columns", [isa](const RunArgs& args, int64_t begin, int64_t end) {
    SelectElementwise(isa).scale_columns({.rows = end - begin,
                                          .columns = args.outputs[0].columns(),
                                          .in = ConstRowsFrom(args.inputs[0], begin),
                                          .factors = args.inputs[1].row<const float>(0),
                                          .out = RowsFrom(args.outputs[0], begin)});
  });
}

bool IsOneFactor(const ValueType& type) {
  return std::ranges::all_of(type.shape, [](const Dim& dim) { return dim == Dim(1); });
}

// By one number for all: as factors for some columns at a time.
std::unique_ptr<PreparedNode> ScaleByOne(Isa isa) {
  return Rows(isa, "scale", [isa](const RunArgs& args, int64_t begin, int64_t end) {
    constexpr int64_t kColumns = 256;
    float factors[kColumns];
    std::ranges::fill(factors, *args.inputs[1].row<const float>(0));
    const int64_t columns = args.outputs[0].columns();
    for (int64_t first = 0; first < columns; first += kColumns) {
      ConstElementRows in = ConstRowsFrom(args.inputs[0], begin);
      ElementRows out = RowsFrom(args.outputs[0], begin);
      in.data = static_cast<const char*>(in.data) + first * ElementBytes(in.element);
      out.data = static_cast<char*>(out.data) + first * ElementBytes(out.element);
      SelectElementwise(isa).scale_columns({.rows = end - begin,
                                            .columns = std::min(kColumns, columns - first),
                                            .in = in,
                                            .factors = factors,
                                            .out = out});
    }
  });
}

}  // namespace

std::unique_ptr<PreparedNode> PrepareLayerNorm(const Node& node, Isa isa) {
  const double eps = node.attributes.get<LayerNorm>().eps;
  return Rows(isa, "layer_norm", [isa, eps](const RunArgs& args, int64_t begin, int64_t end) {
    const TensorArg &x = args.inputs[0], &y = args.outputs[0];
    SelectLayerNorm(isa)({.rows = end - begin,
                          .columns = x.columns(),
                          .in = x.row<const float>(begin),
                          .in_stride = x.row_stride,
                          .gamma = args.inputs[1].row<const float>(0),
                          .beta = args.inputs[2].row<const float>(0),
                          .eps = eps,
                          .out = RowAddress(y, begin),
                          .out_element = ElementOf(y.dtype),
                          .out_stride = y.row_stride});
  });
}

std::unique_ptr<PreparedNode> PrepareRmsNorm(const Node& node, Isa isa) {
  const double eps = node.attributes.get<RmsNorm>().eps;
  return Rows(isa, "rms_norm", [isa, eps](const RunArgs& args, int64_t begin, int64_t end) {
    const TensorArg &x = args.inputs[0], &y = args.outputs[0];
    SelectRmsNorm(isa)({.rows = end - begin,
                        .columns = x.columns(),
                        .in = x.row<const float>(begin),
                        .in_stride = x.row_stride,
                        .gamma = args.inputs[1].row<const float>(0),
                        .eps = eps,
                        .out = RowAddress(y, begin),
                        .out_element = ElementOf(y.dtype),
                        .out_stride = y.row_stride});
  });
}

std::unique_ptr<PreparedNode> PrepareActivation(const Node& node, Isa isa) {
  return ActivateRows(isa, "activation",
                      KernelActivation(node.attributes.get<ActivationOp>().kind));
}

std::unique_ptr<PreparedNode> PrepareCast(Isa isa) {
  return ActivateRows(isa, "cast", Activation::kNone);
}

std::unique_ptr<PreparedNode> PrepareRope(const Node& node, Isa isa) {
  const Rope rope = node.attributes.get<Rope>();
  return Rows(isa, "rotary", [isa, rope](const RunArgs& args, int64_t begin, int64_t end) {
    const TensorArg &x = args.inputs[0], &cosines = args.inputs[1], &y = args.outputs[0];
    const int64_t period = cosines.rows();
    while (begin < end) {  // up to the end of the tables, where positions start again
      const int64_t token = begin % period, rows = std::min(end - begin, period - token);
      SelectRotary(isa)(
          {.tokens = rows,
           .heads = rope.heads,
           .head_dim = x.columns() / rope.heads,
           .table = {cosines.row<const float>(token), args.inputs[2].row<const float>(token),
                     cosines.row_stride,
                     rope.interleaved ? RotaryPairs::kInterleaved : RotaryPairs::kHalves},
           .in = RowAddress(x, begin),
           .in_element = ElementOf(x.dtype),
           .in_stride = x.row_stride,
           .out = RowAddress(y, begin),
           .out_element = ElementOf(y.dtype),
           .out_stride = y.row_stride});
      begin += rows;
    }
  });
}

std::unique_ptr<PreparedNode> PrepareBinary(const Graph& graph, const Node& node, Isa isa) {
  const ValueType& a = graph.value(node.inputs[0]).type;
  const ValueType& b = graph.value(node.inputs[1]).type;
  if (a.shape != graph.value(node.outputs[0]).type.shape) return nullptr;
  switch (node.attributes.get<Binary>().kind) {
    case BinaryKind::kAdd:
      return RepeatsByRows(a, b) ? AddRows(isa) : nullptr;
    case BinaryKind::kMul:
      if (IsOneFactor(b)) return ScaleByOne(isa);
      return b.rank() == 1 && b.dim(0) == a.dim(-1) ? ScaleRows(isa) : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace vernier
