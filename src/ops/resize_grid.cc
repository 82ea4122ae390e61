#include "ops/resize_grid.h"

#include <fmt/format.h>

#include "ops/op_support.h"

namespace vernier {
namespace {

std::vector<ValueType> InferResizeGrid(const Attributes& attributes,
                                       const std::vector<ValueType>& in) {
  const auto& resize = attributes.get<ResizeGrid>();
  RequireRank(in[0], 3, 3, "the grid");
  return {{in[0].dtype, {resize.rows, resize.columns, in[0].dim(2)}}};
}

}  // namespace

const OpDef kResizeGrid{
    .name = "ResizeGrid",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = InferResizeGrid,
    .onnx_name = "Resize",
    .onnx_version = 11,
    .describe = [](const Attributes& a) -> std::string {
      constexpr const char* kNames[] = {"bicubic", "bicubic antialias", "bilinear"};
      const auto& resize = a.get<ResizeGrid>();
      return fmt::format("{} to {} x {}", kNames[static_cast<int>(resize.resampling)],
                         resize.rows.ToString(), resize.columns.ToString());
    }};

}  // namespace vernier
