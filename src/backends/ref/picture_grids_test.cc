// Grids of packed pictures and the rows placed among tokens, against values worked out by hand.
#include "backends/ref/picture_grids.h"

#include <cmath>
#include <vector>

#include "backends/ref/positions.h"
#include "ops/gather.h"
#include "ops/picture_grids.h"
#include "ops/rope.h"
#include "vernier/error.h"

namespace vernier {
namespace {

template <typename T>
TensorArg Arg(const std::vector<T>& values, const Shape& shape) {
  const DType dtype = std::is_same_v<T, float> ? DType::kF32 : DType::kI32;
  return TensorArg::Of({values.data(), dtype, shape});
}

template <typename Op>
void RunKernel(RefKernel kernel, const Op& op, const std::vector<TensorArg>& inputs,
               const std::vector<TensorArg>& outputs) {
  const Attributes attributes = Attributes::Of(op);
  kernel({.attributes = attributes, .inputs = inputs, .outputs = outputs, .extents = {}});
}

TEST(GridPositions, InterpolateTheTableToEachPicturesGrid) {
  const std::vector<float> table = {0, 1, 10, 11};  // 2 x 2
  const std::vector<int32_t> grids = {1, 2, 2, 1, 1, 4};
  std::vector<float> y(8);
  RunKernel(RefGridPositions, GridPositions{8}, {Arg(table, {2, 2, 1}), Arg(grids, {2, 3})},
            {Arg(y, {8, 1})});
  // The table itself, then one row in its middle: source columns -0.25, 0.25, 0.75 and 1.25.
  EXPECT_EQ(y, (std::vector<float>{0, 1, 10, 11, 5, 5.25f, 5.75f, 6}));
}

TEST(GridRotary, TurnsRowsFirstAndThenColumns) {
  const std::vector<int32_t> grids = {1, 1, 1, 1, 2, 2};
  std::vector<float> cosines(5 * 4), sines(5 * 4);
  RunKernel(RefGridRotary, GridRotary{5, 8, 100.0}, {Arg(grids, {2, 3})},
            {Arg(cosines, {5, 4}), Arg(sines, {5, 4})});
  const float tenth = static_cast<float>(std::sin(static_cast<double>(0.1f)));
  const float one = static_cast<float>(std::sin(1.0));
  EXPECT_EQ(sines,
            (std::vector<float>{0,   0,     0, 0, 0,   0,     0,   0,    0, 0, one, tenth,  //
                                one, tenth, 0, 0, one, tenth, one, tenth}));
  EXPECT_FLOAT_EQ(cosines[16], std::cos(1.0f));
}

TEST(GridSegments, AreTheOffsetsOfThePictures) {
  const std::vector<int32_t> grids = {1, 2, 3, 1, 1, 4};
  std::vector<int32_t> y(3);
  RunKernel(RefGridSegments, GridSegments{10}, {Arg(grids, {2, 3})}, {Arg(y, {3})});
  EXPECT_EQ(y, (std::vector<int32_t>{0, 6, 10}));
}

TEST(MergeGrid, JoinsNeighboursRowByRowWithinEachPicture) {
  std::vector<float> x(12), y(12);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const std::vector<int32_t> grids = {1, 2, 4, 1, 2, 2};
  RunKernel(RefMergeGrid, MergeGrid{2}, {Arg(x, {12, 1}), Arg(grids, {2, 3})}, {Arg(y, {3, 4})});
  EXPECT_EQ(y, (std::vector<float>{0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 10, 11}));
}

TEST(MultimodalRopeTable, TurnsEachSectionByItsOwnPosition) {
  const std::vector<int32_t> positions = {1, 0, 2, 0, 3, 5};  // [3, 2 sequences, 1 token]
  std::vector<float> cosines(2 * 3), sines(2 * 3);
  RunKernel(RefMultimodalRopeTable, MultimodalRopeTable{6, 1.0, {1, 1, 1}},
            {Arg(positions, {3, 2, 1})}, {Arg(cosines, {2, 1, 3}), Arg(sines, {2, 1, 3})});
  const double angles[] = {1, 2, 3, 0, 0, 5};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_FLOAT_EQ(sines[i], static_cast<float>(std::sin(angles[i])));
    EXPECT_FLOAT_EQ(cosines[i], static_cast<float>(std::cos(angles[i])));
  }
}

TEST(PlacePictures, PutsRowsInOrderOverTheSequences) {
  const std::vector<float> x = {1, 2, 3, 4}, rows = {-1, -2};
  const std::vector<int32_t> ids = {7, 0, 0, 7};
  std::vector<float> y(4);
  RunKernel(RefPlacePictures, PlacePictures{7, ""},
            {Arg(x, {2, 2, 1}), Arg(ids, {2, 2}), Arg(rows, {2, 1})}, {Arg(y, {2, 2, 1})});
  EXPECT_EQ(y, (std::vector<float>{-1, 2, 3, -2}));
}

template <typename Call>
void ExpectRefused(Call call, const std::string& message, const std::string& hint = "") {
  try {
    call();
    ADD_FAILURE() << "accepted, expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.message(), message);
    EXPECT_EQ(error.hint(), hint);
  }
}

TEST(PlacePictures, TakesPlaceholdersBehindTheLastRowAsText) {
  const std::vector<float> x = {1, 2, 3}, rows = {-1};
  const std::vector<int32_t> ids = {0, 7, 7};
  std::vector<float> y(3);
  RunKernel(RefPlacePictures, PlacePictures{7, ""},
            {Arg(x, {1, 3, 1}), Arg(ids, {1, 3}), Arg(rows, {1, 1})}, {Arg(y, {1, 3, 1})});
  EXPECT_EQ(y, (std::vector<float>{1, -1, 3}));
}

TEST(PlacePictures, SaysWhenRowsAreLeftOver) {
  const std::vector<float> x = {1, 2}, rows = {-1, -2, -3};
  const std::vector<int32_t> ids = {7, 0};
  std::vector<float> y(2);
  ExpectRefused(
      [&] {
        RunKernel(RefPlacePictures, PlacePictures{7, "look at the prompt"},
                  {Arg(x, {1, 2, 1}), Arg(ids, {1, 2}), Arg(rows, {3, 1})}, {Arg(y, {1, 2, 1})});
      },
      "Image features and image tokens do not match: tokens: 1, features 3", "look at the prompt");
}

TEST(Grids, ThatDoNotFitAreRefused) {
  const auto segments = [](const std::vector<int32_t>& grids) {
    return [grids] {
      const auto pictures = static_cast<int64_t>(grids.size() / 3);
      std::vector<int32_t> y(static_cast<size_t>(pictures + 1));
      RunKernel(RefGridSegments, GridSegments{8}, {Arg(grids, {pictures, 3})},
                {Arg(y, {pictures + 1})});
    };
  };
  ExpectRefused(segments({1, 2, 2, 2, 2, 1}), "the grid of picture 1 has 2 frames, expected 1",
                "a grid is frames, rows and columns of patches; videos are not supported");
  ExpectRefused(segments({1, -2, -4}),
                "the grid of picture 0 is -2 x -4 patches, expected at least 1 x 1");
  ExpectRefused(segments({1, 2, 3}), "the pictures' grids hold 6 patches, and 8 were given");
  ExpectRefused(segments({1, 2147483647, 2147483647, 1, 2147483647, 2147483647}),
                "the pictures' grids hold at least 4611686014132420609 patches, and 8 were given");
  std::vector<float> x(8), y(8);
  const std::vector<int32_t> odd = {1, 1, 8};
  ExpectRefused(
      [&] {
        RunKernel(RefMergeGrid, MergeGrid{2}, {Arg(x, {8, 1}), Arg(odd, {1, 3})}, {Arg(y, {2, 4})});
      },
      "the grid of picture 0 is 1 x 8 patches, which do not divide into groups of 2 x 2");
}

}  // namespace
}  // namespace vernier
