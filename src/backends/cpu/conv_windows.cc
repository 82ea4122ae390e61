// Convolutions as products with packed weights. The pixels of a channels-last map are the rows that
// a 1x1 convolution of stride 1 multiplies, as they lie; all other windows are copied, a tile of
// them at a time, into the second-level cache. A channels-last result is written by the product
// itself, with bias, residual and ReLU; a row-major one is turned on its way out.
#include <algorithm>
#include <numeric>
#include <vector>

#include "backends/cpu/conv_form.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/nodes.h"
#include "core/check.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "kernels/cpu/im2row.h"
#include "kernels/cpu/map_tile.h"
#include "kernels/cpu/pixel_windows.h"

namespace vernier {
namespace {

// Bytes of a tile's windows: half of the second-level cache of 1 MB that server cores have at
// least, the weights streaming past.
constexpr int64_t kTileBytes = 512 * 1024;
constexpr int64_t kLeastTile = 24, kLargestTile = 768;
constexpr size_t kAlignment = 64;

size_t Aligned(size_t bytes) { return RoundUp(bytes, kAlignment); }

PackedLayout GroupLayout(const ConvDesc& desc) {
  return PackedLayoutFor(desc.isa, desc.weight, desc.out, desc.window());
}

size_t GroupBytes(const PackedLayout& layout) { return Aligned(layout.bytes()); }

// How a result's pixels are cut into tiles, and the panels of weights dealt beside them.
struct Division {
  int64_t parts = 1;   // pictures by groups, each with `pixels`
  int64_t pixels = 0;  // rows of a part's product
  int64_t tile = 1;    // rows of a unit of work
  int64_t tiles = 0;   // of a part
  int64_t panel_groups = 1;

  int64_t units() const { return parts * tiles * panel_groups; }
};

Division Divide(int64_t parts, int64_t pixels, int64_t most, int64_t panels, int threads) {
  Division d{.parts = parts, .pixels = pixels};
  d.tiles = std::max<int64_t>(1, CeilDiv(pixels, most));
  if (parts * pixels < threads * most) {
    // Few rows: each thread takes its own share of the weights, where there are enough, rather than
    // all of them for its share of the rows.
    if (panels >= threads) {
      d.panel_groups = threads;
    } else {
      d.tiles = std::max(d.tiles, CeilDiv(threads, std::max<int64_t>(1, parts)));
    }
  } else if (parts == 1) {
    d.tiles = CeilDiv(d.tiles, threads) * threads;
  }
  d.tile = std::max<int64_t>(1, CeilDiv(pixels, d.tiles));
  d.tiles = CeilDiv(pixels, d.tile);
  return d;
}

class WindowsKernel final : public Kernel {
 public:
  WindowsKernel(const ConvDesc& desc, const ConvWeights& weights, const BindArgs& args)
      : desc_(desc), weights_(weights), layout_(GroupLayout(desc)), threads_(args.threads) {
    const TensorArg &x = args.inputs[FusedConv2d::kX], &y = args.outputs[0];
    in_place_ = x.channels_last() && desc.kernel_height == 1 && desc.kernel_width == 1 &&
                desc.conv.stride == 1 && desc.conv.padding == 0;
    // Between channels-last maps the pixels of all pictures are rows of one product.
    joined_ = x.channels_last() && y.channels_last();
    const int64_t pictures = y.shape[0], pixels = y.shape[2] * y.shape[3];
    const int64_t row_bytes = layout_.k * static_cast<int64_t>(ByteSize(x.dtype));
    const int64_t most = std::clamp(kTileBytes / row_bytes, kLeastTile, kLargestTile);
    division_ = joined_
                    ? Divide(desc.conv.groups, pictures * pixels, most, layout_.panels(), threads_)
                    : Divide(desc.conv.groups * pictures, pixels, most, 1, threads_);
    BindProducts(args);
  }

  void Run(const RunArgs& args) const override {
    ParallelFor(threads_, threads_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        char* scratch = static_cast<char*>(args.scratch) + slot_bytes() * static_cast<size_t>(slot);
        const int64_t units = division_.units(), last = units * (slot + 1) / threads_;
        for (int64_t unit = units * slot / threads_; unit < last; ++unit) {
          RunUnit(args, unit, scratch);
        }
      }
    });
  }

  size_t scratch_bytes() const override { return slot_bytes() * static_cast<size_t>(threads_); }
  int in_place_input() const override { return desc_.residual ? FusedConv2d::kResidual : -1; }

  KernelInfo info() const override {
    const char* dtype = layout_.dtype == DType::kBF16 ? "bf16" : "f32";
    return {"vernier", Name(products_[0].isa()),
            std::string(in_place_ ? "conv_pixels_" : "conv_windows_") + dtype};
  }

 private:
  // What one unit of work is.
  struct Unit {
    int64_t picture, group;  // picture 0 where pictures are joined
    int64_t first, count;    // pixels
    int64_t panel;           // the first
    size_t product;          // index in products_
  };

  size_t windows_bytes() const {
    if (in_place_) return 0;
    return Aligned(static_cast<size_t>(division_.tile * layout_.k) * ByteSize(desc_.x));
  }
  size_t results_bytes() const {
    if (desc_.y_layout == Layout::kChannelsLast) return 0;
    return Aligned(static_cast<size_t>(division_.tile * layout_.n) * sizeof(float));
  }
  size_t slot_bytes() const {
    return Aligned(windows_bytes() + results_bytes() + products_[0].scratch_bytes());
  }

  int64_t FirstPanel(int64_t panel_group) const {
    return layout_.panels() * panel_group / division_.panel_groups;
  }

  // One product for each group of panels on a whole tile, then on the last one.
  void BindProducts(const BindArgs& args) {
    const TensorArg &x = args.inputs[FusedConv2d::kX], &y = args.outputs[0];
    GemmDesc desc{.a = x.dtype,
                  .a_stride = in_place_ ? x.row_stride : layout_.k,
                  .c_stride = layout_.n,
                  .isa = desc_.isa};
    if (y.channels_last()) {
      desc.c = y.dtype;
      desc.c_stride = y.row_stride;
      desc.bias = true;
      desc.activation = desc_.activation;
      if (desc_.residual) {
        desc.addend = args.inputs[FusedConv2d::kResidual].dtype;
        desc.addend_stride = args.inputs[FusedConv2d::kResidual].row_stride;
      }
    }
    const int64_t rest = division_.pixels - (division_.tiles - 1) * division_.tile;
    for (const int64_t rows : {division_.tile, rest}) {
      desc.m = std::max<int64_t>(1, rows);
      for (int64_t i = 0; i < division_.panel_groups; ++i) {
        desc.weights = layout_;
        desc.weights.n = std::min(layout_.n, FirstPanel(i + 1) * layout_.panel_columns) -
                         FirstPanel(i) * layout_.panel_columns;
        products_.emplace_back(desc);
      }
    }
  }

  void RunUnit(const RunArgs& args, int64_t unit, char* scratch) const {
    const int64_t part = unit / (division_.tiles * division_.panel_groups);
    const int64_t tile = unit % division_.tiles;
    const int64_t panel_group = unit / division_.tiles % division_.panel_groups;
    const int64_t first = tile * division_.tile;
    const bool last = tile + 1 == division_.tiles;
    const auto product = static_cast<size_t>(panel_group + (last ? division_.panel_groups : 0));
    const Unit u{.picture = part / desc_.conv.groups,
                 .group = part % desc_.conv.groups,
                 .first = first,
                 .count = std::min(division_.tile, division_.pixels - first),
                 .panel = FirstPanel(panel_group),
                 .product = product};
    const void* windows = in_place_ ? Pixels(args.inputs[FusedConv2d::kX], u, u.group * desc_.in)
                                    : CopyWindows(args, u, scratch);
    if (args.outputs[0].channels_last()) {
      MultiplyIntoMap(args, u, windows, scratch + windows_bytes());
    } else {
      MultiplyAndTurn(args, u, windows, scratch + windows_bytes());
    }
  }

  // The unit's first pixel in a channels-last map.
  static char* Pixels(const TensorArg& map, const Unit& u, int64_t channel) {
    return MapAddress(map, u.picture, channel) +
           u.first * map.row_stride * static_cast<int64_t>(ByteSize(map.dtype));
  }

  const void* CopyWindows(const RunArgs& args, const Unit& u, char* to) const {
    const TensorArg &x = args.inputs[FusedConv2d::kX], &y = args.outputs[0];
    const void* map = MapAddress(x, u.picture, u.group * desc_.in);
    const WindowRun windows{.element = ElementOf(x.dtype),
                            .channels = desc_.in,
                            .height = x.shape[2],
                            .width = x.shape[3],
                            .kernel_height = desc_.kernel_height,
                            .kernel_width = desc_.kernel_width,
                            .stride = desc_.conv.stride,
                            .padding = desc_.conv.padding,
                            .out_height = y.shape[2],
                            .out_width = y.shape[3],
                            .first_pixel = u.first,
                            .pixels = u.count};
    if (x.channels_last()) {
      PixelWindows({.windows = windows, .map = map, .pixel_stride = x.row_stride, .rows = to});
    } else {
      Im2Row({.windows = windows, .map = map, .row_stride = x.row_stride, .rows = to});
    }
    return to;
  }

  const char* Weights(const Unit& u) const {
    return weights_.packed() + GroupBytes(layout_) * static_cast<size_t>(u.group) +
           layout_.panel_bytes() * static_cast<size_t>(u.panel);
  }

  void MultiplyIntoMap(const RunArgs& args, const Unit& u, const void* windows,
                       char* scratch) const {
    const int64_t channel = u.group * desc_.out + u.panel * layout_.panel_columns;
    const TensorArg* residual = desc_.residual ? &args.inputs[FusedConv2d::kResidual] : nullptr;
    products_[u.product].Run(
        {.a = windows,
         .weights = Weights(u),
         .c = Pixels(args.outputs[0], u, channel),
         .bias = weights_.bias() + channel,
         .addend = residual == nullptr ? nullptr : Pixels(*residual, u, channel),
         .scratch = scratch});
  }

  void MultiplyAndTurn(const RunArgs& args, const Unit& u, const void* windows,
                       char* scratch) const {
    const TensorArg& y = args.outputs[0];
    const int64_t channel = u.group * desc_.out;
    auto* results = reinterpret_cast<float*>(scratch);
    products_[u.product].Run(
        {.a = windows, .weights = Weights(u), .c = results, .scratch = scratch + results_bytes()});
    const TensorArg* residual = desc_.residual ? &args.inputs[FusedConv2d::kResidual] : nullptr;
    StoreMapTile(
        {.pixels = u.count,
         .channels = desc_.out,
         .results = results,
         .bias = weights_.bias() + channel,
         .first_pixel = u.first,
         .width = y.shape[3],
         .height = y.shape[2],
         .residual = residual == nullptr ? nullptr : MapAddress(*residual, u.picture, channel),
         .residual_element = residual == nullptr ? Element::kF32 : ElementOf(residual->dtype),
         .residual_stride = residual == nullptr ? 0 : residual->row_stride,
         .relu = desc_.activation == Activation::kRelu,
         .map = MapAddress(y, u.picture, channel),
         .element = ElementOf(y.dtype),
         .row_stride = y.row_stride});
  }

  ConvDesc desc_;
  ConvWeights weights_;
  PackedLayout layout_;  // of one group
  int threads_;
  bool in_place_ = false;
  bool joined_ = false;
  Division division_;
  std::vector<Gemm> products_;
};

class WindowsConv final : public ConvForm {
 public:
  explicit WindowsConv(const ConvDesc& desc) : desc_(desc), layout_(GroupLayout(desc)) {}

  std::string packing() const override {
    return std::string(by_pixels() ? "pixels:" : "windows:") + Name(layout_.dtype) + layout_.tag();
  }

  size_t packed_bytes() const override {
    return GroupBytes(layout_) * static_cast<size_t>(desc_.conv.groups);
  }

  void Pack(std::span<const float> weights, void* packed, int threads) const override {
    const std::vector<float> turned = by_pixels() ? ByPixels(weights) : std::vector<float>();
    const float* rows = by_pixels() ? turned.data() : weights.data();
    for (int64_t group = 0; group < desc_.conv.groups; ++group) {
      const PackSource source{.data = rows + group * layout_.n * layout_.k,
                              .dtype = DType::kF32,
                              .n = layout_.n,
                              .row_stride = layout_.k};
      PackWeights(layout_, {&source, 1},
                  static_cast<char*>(packed) + GroupBytes(layout_) * static_cast<size_t>(group),
                  threads);
    }
  }

  std::unique_ptr<Kernel> Bind(const ConvWeights& weights, const BindArgs& args) const override {
    VN_CHECK(args.inputs[FusedConv2d::kX].layout == desc_.x_layout, "a map in another layout");
    VN_CHECK(
        !desc_.residual || args.inputs[FusedConv2d::kResidual].layout == args.outputs[0].layout,
        "a residual in another layout than the result");
    return std::make_unique<WindowsKernel>(desc_, weights, args);
  }

 private:
  // Windows of channels-last maps run pixel by pixel, so the weights must, too.
  bool by_pixels() const { return desc_.x_layout == Layout::kChannelsLast; }

  // [out, channel, row, column] as [out, row, column, channel].
  std::vector<float> ByPixels(std::span<const float> weights) const {
    const int64_t pixels = desc_.kernel_height * desc_.kernel_width;
    std::vector<float> turned(weights.size());
    for (int64_t out = 0; out < desc_.all_out(); ++out) {
      const float* from = weights.data() + out * layout_.k;
      float* to = turned.data() + out * layout_.k;
      for (int64_t c = 0; c < desc_.in; ++c) {
        for (int64_t i = 0; i < pixels; ++i) to[i * desc_.in + c] = from[c * pixels + i];
      }
    }
    return turned;
  }

  ConvDesc desc_;
  PackedLayout layout_;
};

}  // namespace

std::unique_ptr<ConvForm> MakeWindowsConv(const ConvDesc& desc) {
  return std::make_unique<WindowsConv>(desc);
}

}  // namespace vernier
