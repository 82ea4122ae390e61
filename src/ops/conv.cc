#include "ops/conv.h"

#include <fmt/format.h>

#include "ops/op_support.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

ValueType ConvResult(const Conv2d& conv, const ValueType& x, const ValueType& weight) {
  RequireRank(x, 4, 4, "the map");
  RequireRank(weight, 4, 4, "the weight");
  RequireEqual(weight.dim(1) * conv.groups, x.dim(1), "the weight's input channels");
  RequireEqual(FloorDiv(weight.dim(0), conv.groups) * conv.groups, weight.dim(0),
               "the groups' output channels");
  return {x.dtype,
          {x.dim(0), weight.dim(0), WindowCount(x.dim(2), weight.dim(2), conv.stride, conv.padding),
           WindowCount(x.dim(3), weight.dim(3), conv.stride, conv.padding)}};
}

Types InferConv2d(const Attributes& attributes, const Types& in) {
  const ValueType result = ConvResult(attributes.get<Conv2d>(), in[0], in[1]);
  if (in.size() > 2 && in[2].rank() > 0) {
    RequireEqual(in[2].dim(0), in[1].dim(0), "the bias's width");
  }
  return {result};
}

Types InferFusedConv2d(const Attributes& attributes, const Types& in) {
  const ValueType result =
      ConvResult(attributes.get<FusedConv2d>().conv, in[FusedConv2d::kX], in[FusedConv2d::kWeight]);
  for (size_t i = FusedConv2d::kBias; i < FusedConv2d::kResidual; ++i) {
    if (in[i].rank() > 0) RequireEqual(in[i].dim(0), result.dim(1), "a channel vector's width");
  }
  const ValueType& residual = in[FusedConv2d::kResidual];
  if (residual.rank() > 0 && residual.shape != result.shape) {
    ShapeError(fmt::format("the residual is {}, expected {}", ToString(residual.shape),
                           ToString(result.shape)));
  }
  return {result};
}

Dim ConvFlops(const Attributes&, const Types& in, const Types& out) {
  const ValueType& weight = in[1];
  return Product(out[0].shape) * weight.dim(1) * weight.dim(2) * weight.dim(3) * 2;
}

std::string Describe(const Conv2d& conv) {
  return fmt::format("stride={}, padding={}, groups={}", conv.stride, conv.padding, conv.groups);
}

}  // namespace

const OpDef kConv2d{
    .name = "Conv2d",
    .min_inputs = 2,
    .max_inputs = 3,
    .infer = InferConv2d,
    .flops = ConvFlops,
    .onnx_name = "Conv",
    .onnx_version = 1,
    .describe = [](const Attributes& a) -> std::string { return Describe(a.get<Conv2d>()); }};

const OpDef kFusedConv2d{.name = "FusedConv2d",
                         .min_inputs = FusedConv2d::kInputs,
                         .max_inputs = FusedConv2d::kInputs,
                         .infer = InferFusedConv2d,
                         .flops = ConvFlops,
                         .describe = [](const Attributes& a) -> std::string {
                           const auto& fused = a.get<FusedConv2d>();
                           return fmt::format("{}, activation={}", Describe(fused.conv),
                                              Name(fused.activation));
                         }};

}  // namespace vernier
