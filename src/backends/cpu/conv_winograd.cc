// 3x3 convolutions of stride 1 and padding 1 between channels-last maps by Winograd's form
// (winograd_conv.h).
#include <string>

#include "backends/cpu/conv_form.h"
#include "backends/cpu/nodes.h"
#include "backends/cpu/winograd_conv.h"
#include "core/check.h"

namespace vernier {
namespace {

bool MultipliesBf16(Isa isa) { return isa == Isa::kAvx512Bf16 || isa == Isa::kAmx; }

// Where bf16 is asked for and the machine multiplies it, F(2x2), whose rounding is twice the direct
// form's; bf16 would leave F(4x4) two digits. Else F(4x4) in fp32, which bf16 maps gain by as well.
WinogradLayout LayoutOf(const ConvDesc& desc) {
  const bool half = desc.weight == DType::kBF16 && MultipliesBf16(desc.isa);
  return WinogradLayoutFor(desc.isa, half ? WinogradForm::kF2 : WinogradForm::kF4,
                           half ? DType::kBF16 : DType::kF32, desc.out, desc.in);
}

class WinogradKernel final : public Kernel {
 public:
  WinogradKernel(const ConvDesc& desc, const ConvWeights& weights, const BindArgs& args)
      : residual_(desc.residual),
        weights_(weights),
        layout_(LayoutOf(desc)),
        conv_(Bound(desc, args)) {}

  void Run(const RunArgs& args) const override {
    conv_.Run({.x = args.inputs[FusedConv2d::kX].data,
               .weights = weights_.packed(),
               .bias = weights_.bias(),
               .residual = residual_ ? args.inputs[FusedConv2d::kResidual].data : nullptr,
               .y = args.outputs[0].data,
               .scratch = args.scratch});
  }

  size_t scratch_bytes() const override { return conv_.scratch_bytes(); }
  int in_place_input() const override { return residual_ ? FusedConv2d::kResidual : -1; }

  KernelInfo info() const override {
    return {"vernier", Name(conv_.isa()),
            std::string(layout_.form == WinogradForm::kF2 ? "winograd_f2_" : "winograd_f4_") +
                Name(layout_.point.dtype)};
  }

 private:
  WinogradConv Bound(const ConvDesc& desc, const BindArgs& args) const {
    const TensorArg &x = args.inputs[FusedConv2d::kX], &y = args.outputs[0];
    WinogradDesc bound{.weights = layout_,
                       .batch = x.shape[0],
                       .height = x.shape[2],
                       .width = x.shape[3],
                       .x = ElementOf(x.dtype),
                       .x_stride = x.row_stride,
                       .y = ElementOf(y.dtype),
                       .y_stride = y.row_stride,
                       .relu = desc.activation == Activation::kRelu,
                       .isa = desc.isa,
                       .threads = args.threads};
    if (desc.residual) {
      const TensorArg& residual = args.inputs[FusedConv2d::kResidual];
      VN_CHECK(residual.channels_last(), "a residual in another layout than the result");
      bound.residual = ElementOf(residual.dtype);
      bound.residual_stride = residual.row_stride;
    }
    return WinogradConv(bound);
  }

  bool residual_;
  ConvWeights weights_;
  WinogradLayout layout_;
  WinogradConv conv_;
};

class WinogradConvForm final : public ConvForm {
 public:
  explicit WinogradConvForm(const ConvDesc& desc) : desc_(desc), layout_(LayoutOf(desc)) {}

  std::string packing() const override {
    return std::string(layout_.form == WinogradForm::kF2 ? "winograd_f2:" : "winograd_f4:") +
           Name(layout_.point.dtype) + layout_.point.tag();
  }

  size_t packed_bytes() const override { return layout_.bytes(); }

  void Pack(std::span<const float> weights, void* packed, int threads) const override {
    PackWinograd(layout_, weights.data(), packed, threads);
  }

  std::unique_ptr<Kernel> Bind(const ConvWeights& weights, const BindArgs& args) const override {
    return std::make_unique<WinogradKernel>(desc_, weights, args);
  }

 private:
  ConvDesc desc_;
  WinogradLayout layout_;
};

}  // namespace

bool FitsWinograd(const ConvDesc& desc) {
  const Conv2d& conv = desc.conv;
  return desc.kernel_height == 3 && desc.kernel_width == 3 && conv.stride == 1 &&
         conv.padding == 1 && conv.groups == 1 && desc.x_layout == Layout::kChannelsLast &&
         desc.y_layout == Layout::kChannelsLast;
}

std::unique_ptr<ConvForm> MakeWinogradConv(const ConvDesc& desc) {
  return std::make_unique<WinogradConvForm>(desc);
}

}  // namespace vernier
