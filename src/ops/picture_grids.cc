#include "ops/picture_grids.h"

#include <fmt/format.h>

#include "ops/op_support.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

void RequireGrids(const ValueType& grids) {
  RequireRank(grids, 2, 2, "the pictures' grids");
  RequireEqual(grids.dim(1), 3, "the numbers of a grid (frames, rows, columns)");
  if (grids.dtype != DType::kI32) {
    ShapeError(fmt::format("the grids must be i32, got {}", Name(grids.dtype)));
  }
}

Types InferGridPositions(const Attributes& attributes, const Types& in) {
  RequireRank(in[0], 3, 3, "the table");
  RequireGrids(in[1]);
  return {{DType::kF32, {attributes.get<GridPositions>().patches, in[0].dim(2)}}};
}

Types InferGridRotary(const Attributes& attributes, const Types& in) {
  const auto& rotary = attributes.get<GridRotary>();
  RequireGrids(in[0]);
  if (rotary.head_dim % 4 != 0) {
    ShapeError(fmt::format("axial rotary positions need a head width that 4 divides, got {}",
                           rotary.head_dim));
  }
  const ValueType type{DType::kF32, {rotary.patches, rotary.head_dim / 2}};
  return {type, type};
}

Types InferGridSegments(const Attributes&, const Types& in) {
  RequireGrids(in[0]);
  return {{DType::kI32, {in[0].dim(0) + 1}}};
}

Types InferMergeGrid(const Attributes& attributes, const Types& in) {
  const Dim neighbours = attributes.get<MergeGrid>().side * attributes.get<MergeGrid>().side;
  RequireRank(in[0], 2, 2, "the patches");
  RequireGrids(in[1]);
  return {{in[0].dtype, {FloorDiv(in[0].dim(0), neighbours), in[0].dim(1) * neighbours}}};
}

}  // namespace

const OpDef kGridPositions{
    .name = "GridPositions", .min_inputs = 2, .max_inputs = 2, .infer = InferGridPositions};

const OpDef kGridRotary{.name = "GridRotary",
                        .min_inputs = 1,
                        .max_inputs = 1,
                        .infer = InferGridRotary,
                        .describe = [](const Attributes& a) -> std::string {
                          const auto& rotary = a.get<GridRotary>();
                          return fmt::format("head_dim={}, theta={:g}", rotary.head_dim,
                                             rotary.theta);
                        }};

const OpDef kGridSegments{
    .name = "GridSegments", .min_inputs = 1, .max_inputs = 1, .infer = InferGridSegments};

const OpDef kMergeGrid{.name = "MergeGrid",
                       .min_inputs = 2,
                       .max_inputs = 2,
                       .infer = InferMergeGrid,
                       .describe = [](const Attributes& a) -> std::string {
                         const auto side = a.get<MergeGrid>().side;
                         return fmt::format("{} x {}", side, side);
                       }};

}  // namespace vernier
