#include "ops/rope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "ops/op_support.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

Types InferRope(const Attributes& attributes, const Types& in) {
  const auto& rope = attributes.get<Rope>();
  RequireRank(in[0], 2, 3, "the rotated value");
  for (size_t i : {1, 2}) {
    RequireRank(in[i], 2, in[0].rank(), "the cosine and sine tables");
    if (in[i].rank() == 3) RequireEqual(in[i].dim(0), in[0].dim(0), "the tables' batch");
    RequireEqual(in[i].dim(-2), in[0].dim(-2), "the tables' token count");
    RequireEqual(in[i].dim(-1) * Dim(2 * rope.heads), in[0].dim(-1), "the tables' width");
  }
  return {in[0]};
}

Types InferRopeTable2d(const Attributes& attributes, const Types&) {
  const auto& table = attributes.get<RopeTable2d>();
  if (table.head_dim % 4 != 0) {
    ShapeError(
        fmt::format("two-dimensional rotary positions need a head width that 4 divides, got {}",
                    table.head_dim));
  }
  const ValueType type{DType::kF32,
                       {Dim(table.leading) + table.rows * table.columns, Dim(table.head_dim / 2)}};
  return {type, type};
}

Types InferMultimodalRopeTable(const Attributes& attributes, const Types& in) {
  const auto& table = attributes.get<MultimodalRopeTable>();
  const int64_t pairs = std::accumulate(table.sections.begin(), table.sections.end(), int64_t{0});
  if (2 * pairs != table.head_dim) {
    ShapeError(fmt::format("sections of {} pairs together do not make a head of width {}", pairs,
                           table.head_dim));
  }
  RequireRank(in[0], 3, 3, "the positions");
  RequireEqual(in[0].dim(0), 3, "the positions of a token (time, row, column)");
  if (in[0].dtype != DType::kI32) {
    ShapeError(fmt::format("the positions must be i32, got {}", Name(in[0].dtype)));
  }
  const ValueType type{DType::kF32, {in[0].dim(1), in[0].dim(2), pairs}};
  return {type, type};
}

}  // namespace

const OpDef kRope{.name = "Rope",
                  .min_inputs = 3,
                  .max_inputs = 3,
                  .infer = InferRope,
                  .describe = [](const Attributes& a) -> std::string {
                    const auto& rope = a.get<Rope>();
                    return fmt::format("heads={}, {}", rope.heads,
                                       rope.interleaved ? "interleaved" : "halves");
                  }};

const OpDef kRopeTable2d{.name = "RopeTable2d",
                         .min_inputs = 0,
                         .max_inputs = 0,
                         .infer = InferRopeTable2d,
                         .describe = [](const Attributes& a) -> std::string {
                           const auto& table = a.get<RopeTable2d>();
                           return fmt::format("{} x {}, head_dim={}, theta={:g}",
                                              table.rows.ToString(), table.columns.ToString(),
                                              table.head_dim, table.theta);
                         }};

const OpDef kMultimodalRopeTable{.name = "MultimodalRopeTable",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .infer = InferMultimodalRopeTable,
                                 .describe = [](const Attributes& a) -> std::string {
                                   const auto& table = a.get<MultimodalRopeTable>();
                                   return fmt::format("head_dim={}, theta={:g}, sections={}",
                                                      table.head_dim, table.theta,
                                                      fmt::join(table.sections, "|"));
                                 }};

}  // namespace vernier
