// Conv2d and FusedConv2d on the CPU: the windows of a tile of pixels as rows of a product with
// packed weights, into which the norm is folded. A tile's windows and results stay in the second
// level of cache.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "backends/cpu/gemm.h"
#include "backends/cpu/nodes.h"
#include "backends/folded_norm.h"
#include "core/parallel.h"
#include "kernels/cpu/im2row.h"
#include "kernels/cpu/map_tile.h"
#include "ops/conv.h"

namespace vernier {
namespace {

// Bytes of a tile's windows: most of the second-level cache of 1 MB that server cores have at
// least, the weights streaming past.
constexpr int64_t kTileBytes = 512 * 1024;
constexpr int64_t kLeastTile = 16, kLargestTile = 512;
constexpr size_t kAlignment = 64;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Packed panels of each group, one after the other, and a bias for every channel behind them.
struct ConvWeights {
  Conv2d conv;
  Activation activation = Activation::kNone;
  bool residual = false;
  int64_t channels = 0;  // of the result
  int64_t kernel_height = 0, kernel_width = 0;
  PackedLayout layout;  // of one group
  std::shared_ptr<const WeightBytes> bytes;

  size_t group_bytes() const { return Aligned(layout.bytes()); }
  size_t bias_offset() const { return group_bytes() * static_cast<size_t>(conv.groups); }
  const void* group(int64_t index) const {
    return static_cast<const char*>(bytes->data()) + group_bytes() * static_cast<size_t>(index);
  }
  const float* bias() const {
    return reinterpret_cast<const float*>(static_cast<const char*>(bytes->data()) + bias_offset());
  }
};

class ConvKernel final : public Kernel {
 public:
  ConvKernel(const ConvWeights& weights, const BindArgs& args, Isa isa)
      : weights_(weights),
        threads_(args.threads),
        element_(args.inputs[0].dtype),
        pixels_(args.outputs[0].shape[2] * args.outputs[0].shape[3]) {
    const int64_t row_bytes = weights.layout.k * static_cast<int64_t>(ByteSize(element_));
    tile_ = std::clamp(kTileBytes / row_bytes, kLeastTile, kLargestTile) / kLeastTile * kLeastTile;
    tile_ = std::max<int64_t>(1, std::min(tile_, pixels_));
    GemmDesc desc{.m = tile_,
                  .weights = weights.layout,
                  .a = element_,
                  .a_stride = weights.layout.k,
                  .c_stride = weights.layout.n,
                  .isa = isa};
    whole_.emplace_back(desc);
    desc.m = std::max<int64_t>(1, pixels_ % tile_);
    whole_.emplace_back(desc);
    isa_ = isa;
  }

  void Run(const RunArgs& args) const override {
    const int64_t tiles = (pixels_ + tile_ - 1) / tile_;
    const int64_t units = args.outputs[0].shape[0] * weights_.conv.groups * tiles;
    ParallelFor(threads_, threads_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        char* scratch = static_cast<char*>(args.scratch) + slot_bytes() * static_cast<size_t>(slot);
        for (int64_t unit = units * slot / threads_; unit < units * (slot + 1) / threads_; ++unit) {
          const int64_t part = unit / tiles;
          RunTile(args, part / weights_.conv.groups, part % weights_.conv.groups, unit % tiles,
                  scratch);
        }
      }
    });
  }

  size_t scratch_bytes() const override { return slot_bytes() * static_cast<size_t>(threads_); }

  KernelInfo info() const override {
    const char* dtype = weights_.layout.dtype == DType::kBF16 ? "bf16" : "f32";
    return {"vernier", Name(whole_[0].isa()), std::string("conv_") + dtype};
  }

 private:
  size_t windows_bytes() const {
    return Aligned(static_cast<size_t>(tile_ * weights_.layout.k) * ByteSize(element_));
  }
  size_t results_bytes() const {
    return Aligned(static_cast<size_t>(tile_ * weights_.layout.n) * sizeof(float));
  }
  size_t slot_bytes() const {
    return Aligned(windows_bytes() + results_bytes() + whole_[0].scratch_bytes());
  }

  void RunTile(const RunArgs& args, int64_t picture, int64_t group, int64_t tile,
               char* scratch) const {
    const TensorArg &x = args.inputs[0], &y = args.outputs[0];
    const int64_t first = tile * tile_, count = std::min(tile_, pixels_ - first);
    const int64_t in = x.shape[1] / weights_.conv.groups;
    const int64_t out = weights_.channels / weights_.conv.groups;
    Im2Row({.map = Plane(x, picture, group * in),
            .element = ElementOf(x.dtype),
            .channels = in,
            .height = x.shape[2],
            .width = x.shape[3],
            .row_stride = x.row_stride,
            .kernel_height = weights_.kernel_height,
            .kernel_width = weights_.kernel_width,
            .stride = weights_.conv.stride,
            .padding = weights_.conv.padding,
            .out_width = y.shape[3],
            .first_pixel = first,
            .pixels = count,
            .rows = scratch});
    auto* results = reinterpret_cast<float*>(scratch + windows_bytes());
    const Gemm& gemm = count == tile_ ? whole_[0] : whole_[1];
    gemm.Run({.a = scratch,
              .weights = weights_.group(group),
              .c = results,
              .scratch = scratch + windows_bytes() + results_bytes()});
    const TensorArg* residual = weights_.residual ? &args.inputs[FusedConv2d::kResidual] : nullptr;
    StoreMapTile(
        {.pixels = count,
         .channels = out,
         .results = results,
         .bias = weights_.bias() + group * out,
         .first_pixel = first,
         .width = y.shape[3],
         .height = y.shape[2],
         .residual = residual == nullptr ? nullptr : Plane(*residual, picture, group * out),
         .residual_element = residual == nullptr ? Element::kF32 : ElementOf(residual->dtype),
         .residual_stride = residual == nullptr ? 0 : residual->row_stride,
         .relu = weights_.activation == Activation::kRelu,
         .map = Plane(y, picture, group * out),
         .element = ElementOf(y.dtype),
         .row_stride = y.row_stride});
  }

  // First row of a picture's channel.
  static void* Plane(const TensorArg& x, int64_t picture, int64_t channel) {
    const int64_t row = (picture * x.shape[1] + channel) * x.shape[2];
    return static_cast<char*>(x.data) +
           row * x.row_stride * static_cast<int64_t>(ByteSize(x.dtype));
  }

  ConvWeights weights_;
  int threads_;
  DType element_;
  int64_t pixels_;
  int64_t tile_ = 1;
  std::vector<Gemm> whole_;  // of a full tile, and of the last one
  Isa isa_ = Isa::kScalar;
};

class ConvNode final : public PreparedNode {
 public:
  ConvNode(const PrepareArgs& args, const FusedConv2d& fused, Isa isa) : isa_(isa) {
    const Dims& shape = Input(args, FusedConv2d::kWeight)->type.shape;
    weights_.conv = fused.conv;
    weights_.activation = KernelActivation(fused.activation);
    weights_.residual = Input(args, FusedConv2d::kResidual) != nullptr;
    weights_.channels = shape[0].constant();
    weights_.kernel_height = shape[2].constant();
    weights_.kernel_width = shape[3].constant();
    const int64_t k = Product(Dims(shape.begin() + 1, shape.end())).constant();
    // 8 bits are for linear layers, whose weights decoding reads again for every token.
    const DType weight = args.node.precision.weight;
    weights_.layout = PackedLayoutFor(isa, weight == DType::kI8 ? DType::kBF16 : weight,
                                      weights_.channels / fused.conv.groups, k);
    std::string key = std::string("conv:") + Name(weights_.layout.dtype) + weights_.layout.tag();
    for (size_t i = FusedConv2d::kWeight; i < FusedConv2d::kResidual; ++i) {
      const ValueInfo* input = Input(args, i);
      key += ";" + (input == nullptr ? "" : input->name);
    }
    const size_t bytes =
        weights_.bias_offset() + static_cast<size_t>(weights_.channels) * sizeof(float);
    weights_.bytes =
        args.weights.Packed(key, bytes, [&](WeightBytes& into) { Pack(args, fused.eps, into); });
  }

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    return std::make_unique<ConvKernel>(weights_, args, isa_);
  }

  std::vector<int> owned_inputs() const override {
    std::vector<int> owned(FusedConv2d::kResidual - FusedConv2d::kWeight);
    std::iota(owned.begin(), owned.end(), static_cast<int>(FusedConv2d::kWeight));
    return owned;
  }

 private:
  // Null for an input that the node has not.
  static const ValueInfo* Input(const PrepareArgs& args, size_t input) {
    const auto& inputs = args.node.inputs;
    if (input >= inputs.size() || inputs[input] == kNoValue) return nullptr;
    return &args.graph.value(inputs[input]);
  }

  void Pack(const PrepareArgs& args, double eps, WeightBytes& into) const {
    std::vector<Tensor> terms;
    for (size_t i = FusedConv2d::kWeight; i < FusedConv2d::kResidual; ++i) {
      const ValueInfo* input = Input(args, i);
      terms.push_back(input == nullptr ? Tensor() : ToFloat32(args.weights.Raw(input->name)));
    }
    const auto term = [&](size_t input) { return terms[input - FusedConv2d::kWeight].as<float>(); };
    const std::span<float> weight = term(FusedConv2d::kWeight);
    auto* bytes = static_cast<char*>(into.data());
    const std::span<float> bias(reinterpret_cast<float*>(bytes + weights_.bias_offset()),
                                static_cast<size_t>(weights_.channels));
    if (Input(args, FusedConv2d::kBias) != nullptr) {
      std::ranges::copy(term(FusedConv2d::kBias), bias.begin());
    } else {
      std::ranges::fill(bias, 0.0f);
    }
    if (Input(args, FusedConv2d::kGain) != nullptr) {
      FoldNorm({.gain = term(FusedConv2d::kGain),
                .shift = term(FusedConv2d::kShift),
                .mean = term(FusedConv2d::kMean),
                .variance = term(FusedConv2d::kVariance),
                .eps = eps},
               weight, bias);
    }
    const PackedLayout& layout = weights_.layout;
    for (int64_t group = 0; group < weights_.conv.groups; ++group) {
      const PackSource source{.data = weight.data() + group * layout.n * layout.k,
                              .dtype = DType::kF32,
                              .n = layout.n,
                              .row_stride = layout.k};
      PackWeights(layout, {&source, 1}, bytes + weights_.group_bytes() * static_cast<size_t>(group),
                  args.threads);
    }
    for (size_t i = FusedConv2d::kWeight; i < FusedConv2d::kResidual; ++i) {
      if (Input(args, i) != nullptr) args.weights.Release(Input(args, i)->name);
    }
  }

  ConvWeights weights_;
  Isa isa_;
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareConv(const PrepareArgs& args, Isa isa) {
  if (args.node.op == &kFusedConv2d) {
    return std::make_unique<ConvNode>(args, args.node.attributes.get<FusedConv2d>(), isa);
  }
  const FusedConv2d plain{.conv = args.node.attributes.get<Conv2d>()};
  return std::make_unique<ConvNode>(args, plain, isa);
}

}  // namespace vernier
