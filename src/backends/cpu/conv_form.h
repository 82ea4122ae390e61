// One way of computing a convolution: how its weights are packed, and the kernel that reads them.
// conv_node.cc chooses among the forms by what a convolution is and how its maps lie, folds the
// norm into the weights, and keeps them; a form knows nothing of graphs. Forms are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "core/cpu_features.h"
#include "kernels/cpu/gemm_abi.h"
#include "ops/conv.h"

namespace vernier {

/// A convolution as known before its extents.
struct ConvDesc {
  Conv2d conv;
  Activation activation = Activation::kNone;  // kNone or kRelu
  bool residual = false;                      // FusedConv2d::kResidual, laid out as the result is
  int64_t in = 0, out = 0;                    // channels of one group
  int64_t kernel_height = 0, kernel_width = 0;
  DType x = DType::kF32;       // as stored
  DType weight = DType::kF32;  // as packed: f32 or bf16
  Layout x_layout = Layout::kRowMajor;
  Layout y_layout = Layout::kRowMajor;
  Isa isa = Isa::kScalar;

  int64_t window() const { return in * kernel_height * kernel_width; }
  int64_t all_out() const { return out * conv.groups; }
};

/// Weights as a form packed them, and a bias for each channel of the result; shared.
class ConvWeights {
 public:
  ConvWeights() = default;
  ConvWeights(std::shared_ptr<const WeightBytes> bytes, size_t bias_offset)
      : bytes_(std::move(bytes)), bias_offset_(bias_offset) {}

  const char* packed() const { return static_cast<const char*>(bytes_->data()); }
  const float* bias() const { return reinterpret_cast<const float*>(packed() + bias_offset_); }

 private:
  std::shared_ptr<const WeightBytes> bytes_;
  size_t bias_offset_ = 0;
};

class ConvForm {
 public:
  virtual ~ConvForm() = default;
  /// Names the packed format: equal texts, equal bytes.
  virtual std::string packing() const = 0;
  virtual size_t packed_bytes() const = 0;
  /// `weights` [all_out, in, kernel_height, kernel_width] with the norm folded in; `packed` is
  /// aligned to 64 bytes.
  virtual void Pack(std::span<const float> weights, void* packed, int threads) const = 0;
  virtual std::unique_ptr<Kernel> Bind(const ConvWeights& weights, const BindArgs& args) const = 0;
};

/// A product of windows, or of the pixels themselves, with packed weights. For every convolution.
std::unique_ptr<ConvForm> MakeWindowsConv(const ConvDesc& desc);

/// Whether Winograd's form computes it: 3x3, stride 1, padding 1, between channels-last maps.
bool FitsWinograd(const ConvDesc& desc);

/// A quarter of the products for F(4x4), at the price of larger weights; for what FitsWinograd.
std::unique_ptr<ConvForm> MakeWinogradConv(const ConvDesc& desc);

/// First byte of a map's picture and channel, in either layout.
inline char* MapAddress(const TensorArg& map, int64_t picture, int64_t channel) {
  const int64_t height = map.shape[2], row = map.row_stride;
  const int64_t at = map.channels_last() ? picture * height * map.shape[3] * row + channel
                                         : (picture * map.shape[1] + channel) * height * row;
  return static_cast<char*>(map.data) + at * static_cast<int64_t>(ByteSize(map.dtype));
}

}  // namespace vernier
