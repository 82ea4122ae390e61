// Resampled position tables and rotary tables against values worked out by hand.
#include "backends/ref/positions.h"

#include <cmath>
#include <vector>

#include "ops/resize_grid.h"
#include "ops/rope.h"

namespace vernier {
namespace {

std::vector<float> Resize(GridResampling resampling, const Shape& from, std::vector<float> values,
                          int64_t rows, int64_t columns) {
  const Shape to{rows, columns, from[2]};
  std::vector<float> result(static_cast<size_t>(to.elements()));
  const TensorArg in = TensorArg::Of({values.data(), DType::kF32, from});
  const TensorArg out = TensorArg::Of({result.data(), DType::kF32, to});
  const Attributes attributes = Attributes::Of(ResizeGrid{resampling, rows, columns});
  RefResizeGrid(
      {.attributes = attributes, .inputs = {&in, 1}, .outputs = {&out, 1}, .extents = {}});
  return result;
}

constexpr GridResampling kResamplings[] = {
    GridResampling::kBicubic, GridResampling::kBicubicAntialias, GridResampling::kBilinear};

TEST(ResizeGrid, ToTheSameGridChangesNothing) {
  const std::vector<float> values = {0.1f, -2.0f, 3.5f, 1e-30f, 7.0f, 1e30f};
  for (GridResampling resampling : kResamplings) {
    EXPECT_EQ(Resize(resampling, Shape{3, 2, 1}, values, 3, 2), values);
  }
}

TEST(ResizeGrid, KeepsAConstantTable) {
  const std::vector<float> values(4 * 5 * 2, 3.0f);
  for (GridResampling resampling : kResamplings) {
    for (const auto& [rows, columns] : {std::pair{2, 9}, {1, 1}, {8, 3}}) {
      for (float value : Resize(resampling, Shape{4, 5, 2}, values, rows, columns)) {
        EXPECT_FLOAT_EQ(value, 3.0f);
      }
    }
  }
}

// Half-pixel centres: output i of 4 lies at (i + 0.5) / 2 - 0.5 of the 2 samples 0 and 1.
TEST(ResizeGrid, InterpolatesLinearlyBetweenCentres) {
  EXPECT_EQ(Resize(GridResampling::kBilinear, Shape{1, 2, 1}, {0, 1}, 1, 4),
            (std::vector<float>{0, 0.25f, 0.75f, 1}));
  EXPECT_EQ(Resize(GridResampling::kBilinear, Shape{2, 1, 2}, {0, 10, 1, 20}, 4, 1),
            (std::vector<float>{0, 10, 0.25f, 12.5f, 0.75f, 17.5f, 1, 20}));
}

// From 2 to 4 the first centre is -0.25: between the repeated sample 0 at -1 and sample 0 at 0, at
// 0.75 of the way. The only sample of value 1 is at distances 1.25 (index 1) and, repeated, nothing
// else within reach. The kernel there, with x = 1.25 and a = -0.75, is
// a (((x - 5) x + 8) x - 4) = -0.75 * (((-3.75) * 1.25 + 8) * 1.25 - 4) = -0.10546875.
TEST(ResizeGrid, InterpolatesCubicallyWithRepeatedEdges) {
  const auto resized = Resize(GridResampling::kBicubic, Shape{1, 2, 1}, {0, 1}, 1, 4);
  EXPECT_FLOAT_EQ(resized[0], -0.10546875f);
  EXPECT_FLOAT_EQ(resized[3], 1.10546875f);
  EXPECT_FLOAT_EQ(resized[1] + resized[2], 1.0f);
}

// Shrinking by two with antialiasing reaches 2 * 2 samples to each side: samples 0..3 of an
// impulse's neighbours have kernel arguments 0.25, 0.75, 1.25 and 1.75 (a = -0.5), edges left out.
TEST(ResizeGrid, SmoothsBeforeItShrinks) {
  const auto kernel = [](double x) {
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
  };
  const auto resized =
      Resize(GridResampling::kBicubicAntialias, Shape{1, 4, 1}, {1, 0, 0, 0}, 1, 2);
  const double first = kernel(0.25) + kernel(0.25) + kernel(0.75) + kernel(1.25);
  EXPECT_NEAR(resized[0], kernel(0.25) / first, 1e-7);
  EXPECT_NEAR(resized[1], kernel(1.25) / first, 1e-7);
}

struct Tables {
  std::vector<float> cosines, sines;
};

Tables MakeTables(const RopeTable2d& table, int64_t tokens) {
  const Shape shape{tokens, table.head_dim / 2};
  Tables tables{std::vector<float>(static_cast<size_t>(shape.elements())),
                std::vector<float>(static_cast<size_t>(shape.elements()))};
  const TensorArg out[] = {TensorArg::Of({tables.cosines.data(), DType::kF32, shape}),
                           TensorArg::Of({tables.sines.data(), DType::kF32, shape})};
  const Attributes attributes = Attributes::Of(table);
  RefRopeTable2d({.attributes = attributes, .inputs = {}, .outputs = out, .extents = {}});
  return tables;
}

// Heads of 8: frequencies 1 and 1/100. One row of two columns after a class token.
TEST(RopeTable2d, TurnsColumnsFirstAndThenRows) {
  const Tables tables = MakeTables({.rows = 1, .columns = 2, .head_dim = 8, .leading = 1}, 3);
  const double angles[3][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0.01, 0, 0}};
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_FLOAT_EQ(tables.cosines[i], static_cast<float>(std::cos(angles[i / 4][i % 4])));
    EXPECT_FLOAT_EQ(tables.sines[i], static_cast<float>(std::sin(angles[i / 4][i % 4])));
  }
}

TEST(RopeTable2d, CountsFromItsOffsetInBothDirections) {
  const Tables tables = MakeTables({.rows = 2, .columns = 1, .head_dim = 4, .offset = 1}, 2);
  EXPECT_FLOAT_EQ(tables.sines[0], std::sin(1.0f));  // column 1 of the first row
  EXPECT_FLOAT_EQ(tables.sines[1], std::sin(1.0f));
  EXPECT_FLOAT_EQ(tables.sines[2], std::sin(1.0f));
  EXPECT_FLOAT_EQ(tables.sines[3], std::sin(2.0f));  // row 2
}

TEST(RopeTable2d, RescalesToTheReferenceGrid) {
  const Tables tables = MakeTables(
      {.rows = 2, .columns = 4, .head_dim = 4, .reference_rows = 6, .reference_columns = 2}, 8);
  EXPECT_FLOAT_EQ(tables.sines[2 * 7], std::sin(3.0f / 4 * 2));      // column 3 of 4
  EXPECT_FLOAT_EQ(tables.sines[2 * 7 + 1], std::sin(1.0f / 2 * 6));  // row 1 of 2
}

}  // namespace
}  // namespace vernier
