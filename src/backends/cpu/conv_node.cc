// Conv2d and FusedConv2d on the CPU: chooses a form, folds the norm into the weights, and keeps
// them as the form packs them.
#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "backends/cpu/conv_form.h"
#include "backends/cpu/nodes.h"
#include "backends/folded_norm.h"
#include "core/rounding.h"

namespace vernier {
namespace {

constexpr size_t kAlignment = 64;

size_t Aligned(size_t bytes) { return RoundUp(bytes, kAlignment); }

// Null for an input that the node has not.
const ValueInfo* Input(const PrepareArgs& args, size_t input) {
  const auto& inputs = args.node.inputs;
  if (input >= inputs.size() || inputs[input] == kNoValue) return nullptr;
  return &args.graph.value(inputs[input]);
}

ConvDesc DescOf(const PrepareArgs& args, const FusedConv2d& fused, Isa isa) {
  const Dims& shape = Input(args, FusedConv2d::kWeight)->type.shape;
  // 8 bits are for linear layers, whose weights decoding reads again for every token.
  const DType weight = args.node.precision.weight;
  return {.conv = fused.conv,
          .activation = KernelActivation(fused.activation),
          .residual = Input(args, FusedConv2d::kResidual) != nullptr,
          .in = shape[1].constant(),
          .out = shape[0].constant() / fused.conv.groups,
          .kernel_height = shape[2].constant(),
          .kernel_width = shape[3].constant(),
          .x = Input(args, FusedConv2d::kX)->type.dtype,
          .weight = weight == DType::kI8 ? DType::kBF16 : weight,
          .x_layout = Input(args, FusedConv2d::kX)->layout,
          .y_layout = args.graph.value(args.node.outputs[0]).layout,
          .isa = isa};
}

// Measured on Zen 4, two threads, 16 to 512 channels in, 4 to 512 out, maps of 10x10 to 160x160
// (winograd_bench.cc): Winograd's form is 1.6 to 3.9 times as fast as windows in f32, 1.3 to 2.1 in
// bf16. Maps of 5x5 pixels lose by 1.1 to 2.5 times, some 50 us each. They share their weights with
// larger ones, and weights are packed before extents are known, so that the choice goes by
// channels.
bool UsesWinograd(const ConvDesc& desc, WinogradUse use) {
  constexpr int64_t kMeasured = 16;  // the least channels that count as such
  if (use == WinogradUse::kNever || !FitsWinograd(desc)) return false;
  return use == WinogradUse::kAlways || desc.in >= kMeasured;
}

std::unique_ptr<ConvForm> ChooseForm(const ConvDesc& desc, WinogradUse use) {
  return UsesWinograd(desc, use) ? MakeWinogradConv(desc) : MakeWindowsConv(desc);
}

class ConvNode final : public PreparedNode {
 public:
  ConvNode(const PrepareArgs& args, const FusedConv2d& fused, const CpuBackendOptions& options)
      : form_(ChooseForm(DescOf(args, fused, options.isa), options.winograd)) {
    std::string key = "conv:" + form_->packing();
    for (size_t i = FusedConv2d::kWeight; i < FusedConv2d::kResidual; ++i) {
      const ValueInfo* input = Input(args, i);
      key += ";" + (input == nullptr ? "" : input->name);
    }
    const size_t bias_offset = Aligned(form_->packed_bytes());
    const Dims& shape = Input(args, FusedConv2d::kWeight)->type.shape;
    const auto channels = static_cast<size_t>(shape[0].constant());
    weights_ = ConvWeights(args.weights.Packed(key, bias_offset + channels * sizeof(float),
                                               [&](WeightBytes& into) {
                                                 auto* bytes = static_cast<char*>(into.data());
                                                 auto* bias =
                                                     reinterpret_cast<float*>(bytes + bias_offset);
                                                 Pack(args, fused.eps, bytes, {bias, channels});
                                               }),
                           bias_offset);
  }

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    return form_->Bind(weights_, args);
  }

  std::vector<int> owned_inputs() const override {
    std::vector<int> owned(FusedConv2d::kResidual - FusedConv2d::kWeight);
    std::iota(owned.begin(), owned.end(), static_cast<int>(FusedConv2d::kWeight));
    return owned;
  }

 private:
  void Pack(const PrepareArgs& args, double eps, void* packed, std::span<float> bias) const {
    std::vector<Tensor> terms;
    for (size_t i = FusedConv2d::kWeight; i < FusedConv2d::kResidual; ++i) {
      const ValueInfo* input = Input(args, i);
      terms.push_back(input == nullptr ? Tensor() : ToFloat32(args.weights.Raw(input->name)));
    }
    const auto term = [&](size_t input) { return terms[input - FusedConv2d::kWeight].as<float>(); };
    const std::span<float> weight = term(FusedConv2d::kWeight);
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
    form_->Pack(weight, packed, args.threads);
    for (size_t i = FusedConv2d::kWeight; i < FusedConv2d::kResidual; ++i) {
      if (Input(args, i) != nullptr) args.weights.Release(Input(args, i)->name);
    }
  }

  std::unique_ptr<const ConvForm> form_;
  ConvWeights weights_;
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareConv(const PrepareArgs& args,
                                          const CpuBackendOptions& options) {
  if (args.node.op == &kFusedConv2d) {
    return std::make_unique<ConvNode>(args, args.node.attributes.get<FusedConv2d>(), options);
  }
  const FusedConv2d plain{.conv = args.node.attributes.get<Conv2d>()};
  return std::make_unique<ConvNode>(args, plain, options);
}

}  // namespace vernier
