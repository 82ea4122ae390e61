#include "ops/map_ops.h"

#include <fmt/format.h>

#include "ops/op_support.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

Types InferMaxPool2d(const Attributes& attributes, const Types& in) {
  const auto& pool = attributes.get<MaxPool2d>();
  RequireRank(in[0], 4, 4, "the map");
  const auto windows = [&](const Dim& extent) {
    const Dim more = extent + (pool.ceil_mode ? pool.stride - 1 : 0);
    return WindowCount(more, pool.kernel, pool.stride, pool.padding);
  };
  return {
      {in[0].dtype, {in[0].dim(0), in[0].dim(1), windows(in[0].dim(2)), windows(in[0].dim(3))}}};
}

Types InferResizeMap(const Attributes& attributes, const Types& in) {
  const auto& resize = attributes.get<ResizeMap>();
  RequireRank(in[0], 4, 4, "the map");
  return {{in[0].dtype, {in[0].dim(0), in[0].dim(1), resize.rows, resize.columns}}};
}

Types InferResizeAdd(const Attributes& attributes, const Types& in) {
  Types out = InferResizeMap(Attributes::Of(attributes.get<ResizeAdd>().resize), {in[0]});
  RequireRank(in[1], 4, 4, "the addend");
  for (int axis = 0; axis < 4; ++axis) {
    RequireEqual(in[1].dim(axis), out[0].dim(axis), "the addend's extent");
  }
  return out;
}

std::string DescribeResize(const ResizeMap& resize) {
  const bool nearest = resize.resampling == MapResampling::kNearest;
  return fmt::format("{} to {} x {}", nearest ? "nearest" : "bilinear", resize.rows.ToString(),
                     resize.columns.ToString());
}

}  // namespace

const OpDef kMaxPool2d{.name = "MaxPool2d",
                       .min_inputs = 1,
                       .max_inputs = 1,
                       .infer = InferMaxPool2d,
                       .onnx_name = "MaxPool",
                       .onnx_version = 10,
                       .describe = [](const Attributes& a) -> std::string {
                         const auto& pool = a.get<MaxPool2d>();
                         return fmt::format("kernel={}, stride={}, padding={}{}", pool.kernel,
                                            pool.stride, pool.padding,
                                            pool.ceil_mode ? ", ceil" : "");
                       }};

const OpDef kResizeMap{.name = "ResizeMap",
                       .min_inputs = 1,
                       .max_inputs = 1,
                       .infer = InferResizeMap,
                       .onnx_name = "Resize",
                       .onnx_version = 11,
                       .describe = [](const Attributes& a) -> std::string {
                         return DescribeResize(a.get<ResizeMap>());
                       }};

const OpDef kResizeAdd{.name = "ResizeAdd",
                       .min_inputs = 2,
                       .max_inputs = 2,
                       .infer = InferResizeAdd,
                       .describe = [](const Attributes& a) -> std::string {
                         return DescribeResize(a.get<ResizeAdd>().resize);
                       }};

}  // namespace vernier
