// Ops on maps whose kernels take lines of pixels: pooling, resizing, and channels side by side.
#include <algorithm>
#include <functional>
#include <vector>

#include "backends/cpu/map_view.h"
#include "backends/cpu/nodes.h"
#include "core/parallel.h"
#include "kernels/cpu/max_pool.h"
#include "kernels/cpu/resize_rows.h"
#include "ops/map_ops.h"

namespace vernier {
namespace {

// Runs body(args, line) for the lines of all planes of the result.
class LineKernel final : public Kernel {
 public:
  using Body = std::function<void(const RunArgs&, int64_t plane, int64_t line)>;

  LineKernel(KernelInfo info, Body body) : info_(std::move(info)), body_(std::move(body)) {}

  void Run(const RunArgs& args) const override {
    if (args.outputs[0].shape.elements() == 0) return;
    const MapView y(args.outputs[0]);
    ParallelFor(args.threads, y.planes * y.height, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body_(args, i / y.height, i % y.height);
    });
  }

  KernelInfo info() const override { return info_; }

 private:
  KernelInfo info_;
  Body body_;
};

class LineNode final : public PreparedNode {
 public:
  using BindLines = std::function<LineKernel::Body(const BindArgs&)>;

  LineNode(KernelInfo info, BindLines bind) : info_(std::move(info)), bind_(std::move(bind)) {}

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    return std::make_unique<LineKernel>(info_, bind_(args));
  }

 private:
  KernelInfo info_;
  BindLines bind_;
};

ResizeTap TapAt(MapResampling resampling, int64_t position, int64_t in, int64_t out) {
  if (resampling == MapResampling::kNearest) {
    const int64_t source = position * in / out;
    return {source, source, 0.0f};
  }
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double at = std::max(0.0, (static_cast<double>(position) + 0.5) * scale - 0.5);
  const int64_t low = std::min(static_cast<int64_t>(at), in - 1);
  return {low, std::min(low + 1, in - 1), static_cast<float>(at - static_cast<double>(low))};
}

std::vector<ResizeTap> Taps(MapResampling resampling, int64_t in, int64_t out) {
  std::vector<ResizeTap> taps;
  for (int64_t i = 0; i < out; ++i) taps.push_back(TapAt(resampling, i, in, out));
  return taps;
}

}  // namespace

std::unique_ptr<PreparedNode> PrepareMaxPool(const Node& node, Isa isa) {
  const MaxPool2d pool = node.attributes.get<MaxPool2d>();
  const auto run = [pool, isa](const RunArgs& args, int64_t plane, int64_t line) {
    const MapView x(args.inputs[0]), y(args.outputs[0]);
    SelectMaxPool(isa)({.in = x.ConstFrom(plane, 0),
                        .line_stride = x.line_stride,
                        .height = x.height,
                        .width = x.width,
                        .channels = x.channels,
                        .kernel = pool.kernel,
                        .stride = pool.stride,
                        .padding = pool.padding,
                        .row = line,
                        .out = y.From(plane, line),
                        .out_width = y.width});
  };
  return std::make_unique<LineNode>(KernelInfo{"vernier", Name(RowIsa(isa)), "max_pool"},
                                    [run](const BindArgs&) { return run; });
}

std::unique_ptr<PreparedNode> PrepareResizeMap(const Node& node, Isa isa) {
  const bool adds = node.op == &kResizeAdd;
  const MapResampling resampling = adds ? node.attributes.get<ResizeAdd>().resize.resampling
                                        : node.attributes.get<ResizeMap>().resampling;
  const auto bind = [resampling, adds, isa](const BindArgs& bound) -> LineKernel::Body {
    const Shape &from = bound.inputs[0].shape, &to = bound.outputs[0].shape;
    const auto rows = Taps(resampling, from[2], to[2]), columns = Taps(resampling, from[3], to[3]);
    return [=](const RunArgs& args, int64_t plane, int64_t line) {
      const MapView x(args.inputs[0]), y(args.outputs[0]);
      const ResizeTap& row = rows[static_cast<size_t>(line)];
      SelectResizeRow(isa)(
          {.channels = x.channels,
           .out_width = y.width,
           .columns = columns.data(),
           .lower_share = row.share,
           .blend = resampling != MapResampling::kNearest,
           .upper = x.ConstFrom(plane, row.low),
           .lower = x.ConstFrom(plane, row.high),
           .addend = adds ? MapView(args.inputs[1]).ConstFrom(plane, line) : ConstElementRows{},
           .out = y.From(plane, line)});
    };
  };
  const char* kernel = adds ? "resize_add" : "resize_map";
  return std::make_unique<LineNode>(KernelInfo{"vernier", Name(RowIsa(isa)), kernel}, bind);
}

std::unique_ptr<PreparedNode> PrepareConcatMaps(Isa isa) {
  // Channels-last, inputs are columns of the result's rows; row-major, planes among its planes.
  const auto run = [isa](const RunArgs& args, int64_t plane, int64_t line) {
    const MapView y(args.outputs[0]);
    const int64_t all = args.outputs[0].shape[1];
    int64_t first = 0;  // channel of the result
    for (const TensorArg& input : args.inputs) {
      const MapView x(input);
      const int64_t channels = input.shape[1];
      const int64_t channel = plane * y.channels % all - first;
      const bool inside = channel >= 0 && channel < channels;
      if (input.channels_last() || inside) {
        const int64_t source =
            input.channels_last() ? plane : plane * y.channels / all * channels + channel;
        ElementRows to = y.From(plane, line);
        const int64_t shift = input.channels_last() ? first : 0;
        to.data = static_cast<char*>(to.data) + shift * ElementBytes(to.element);
        SelectElementwise(isa).activate(
            {.rows = y.width, .columns = x.channels, .in = x.ConstFrom(source, line), .out = to});
      }
      first += channels;
    }
  };
  return std::make_unique<LineNode>(KernelInfo{"vernier", Name(RowIsa(isa)), "concat_maps"},
                                    [run](const BindArgs&) { return run; });
}

}  // namespace vernier
