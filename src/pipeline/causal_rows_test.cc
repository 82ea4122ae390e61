#include "pipeline/causal_rows.h"

#include <vector>

#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr PicturePlaces kPlaces{.image_token_id = 6, .merge = 2};

template <typename T>
Tensor Numbers(DType dtype, const Shape& shape, const std::vector<T>& values) {
  Tensor tensor(dtype, shape);
  std::ranges::copy(values, tensor.as<T>().begin());
  return tensor;
}

NamedTensors TextInputs(const std::vector<int64_t>& ids, const std::vector<int64_t>& mask) {
  NamedTensors inputs;
  const Shape shape{2, static_cast<int64_t>(ids.size()) / 2};
  inputs.emplace(kInputIds, Numbers(DType::kI64, shape, ids));
  inputs.emplace(kInputMask, Numbers(DType::kI64, shape, mask));
  return inputs;
}

void AddPicture(NamedTensors& inputs, const std::vector<int32_t>& grid, int64_t patches) {
  inputs.emplace(kImageGrids, Numbers(DType::kI32, {1, 3}, grid));
  inputs.emplace(kPixelValues, Tensor(DType::kF32, {patches, 3, 14, 14}));
}

std::string RefusalOf(const NamedTensors& inputs) {
  try {
    ReadCausalRows(inputs, kPlaces);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(CausalRows, LeavePaddingOut) {
  const CausalRows rows =
      ReadCausalRows(TextInputs({0, 0, 5, 1, 2, 3}, {0, 0, 1, 1, 1, 1}), kPlaces);
  EXPECT_THAT(rows.rows[0].ids, ElementsAre(5));
  EXPECT_THAT(rows.rows[1].ids, ElementsAre(1, 2, 3));
  EXPECT_EQ(rows.tokens, 3);
  EXPECT_FALSE(rows.together());
}

TEST(CausalRows, GiveEachRowItsOwnPictures) {
  NamedTensors inputs = TextInputs({6, 6, 1, 5, 5, 6}, {1, 1, 1, 1, 1, 1});
  inputs.emplace(kImageGrids, Numbers<int32_t>(DType::kI32, {2, 3}, {1, 4, 2, 1, 2, 2}));
  inputs.emplace(kPixelValues, Tensor(DType::kF32, {12, 3, 14, 14}));
  const CausalRows rows = ReadCausalRows(inputs, kPlaces);
  EXPECT_EQ(rows.rows[0].features, 2);
  EXPECT_EQ(rows.rows[1].first_feature, 2);
  EXPECT_EQ(rows.rows[1].features, 1);
  EXPECT_THAT(rows.rows[0].positions.axes[1], ElementsAre(0, 1, 2));
}

TEST(CausalRows, LetForcedIdsFollowAsText) {
  NamedTensors inputs = TextInputs({0, 5, 1, 2}, {0, 1, 1, 1});
  inputs.emplace(kForcedIds, Numbers<int32_t>(DType::kI32, {2, 2}, {6, 7, 8, 9}));
  const CausalRows rows = ReadCausalRows(inputs, kPlaces);
  EXPECT_THAT(rows.rows[0].ids, ElementsAre(5, 6, 7));
  EXPECT_THAT(rows.rows[0].positions.axes[2], ElementsAre(0, 1, 2));
  EXPECT_THAT(rows.rows[1].positions.axes[0], ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(rows.tokens, 4);
}

TEST(CausalRows, AreReadOneByOneWhereAnAnswerHoldsThePlaceholder) {
  NamedTensors inputs = TextInputs({5, 5, 1, 2}, {1, 1, 1, 1});
  inputs.emplace(kForcedIds, Numbers<int32_t>(DType::kI32, {2, 1}, {7, 8}));
  EXPECT_TRUE(ReadCausalRows(inputs, kPlaces).together());
  inputs.insert_or_assign(kForcedIds, Numbers<int32_t>(DType::kI32, {2, 1}, {7, 6}));
  EXPECT_FALSE(ReadCausalRows(inputs, kPlaces).together());
}

TEST(CausalRows, SayWhenTokensAndPicturesDoNotMatch) {
  NamedTensors inputs = TextInputs({1, 2, 3, 4}, {1, 1, 1, 1});
  AddPicture(inputs, {1, 6, 10}, 60);
  EXPECT_THAT(RefusalOf(inputs),
              HasSubstr("Image features and image tokens do not match: tokens: 0, features 15"));
}

TEST(CausalRows, RefuseInputsThatDoNotFitTogether) {
  const auto with_picture = [](const std::vector<int32_t>& grid, int64_t patches) {
    NamedTensors inputs = TextInputs({6, 2}, {1, 1});
    AddPicture(inputs, grid, patches);
    return RefusalOf(inputs);
  };
  EXPECT_EQ(with_picture({1, 2, 2}, 4), "accepted");
  EXPECT_THAT(with_picture({2, 2, 2}, 8), HasSubstr("image_grid_thw: row 0 is 2 2 2"));
  EXPECT_THAT(with_picture({1, 3, 2}, 6), HasSubstr("multiples of 2"));
  EXPECT_THAT(with_picture({1, 0, 2}, 0), HasSubstr("image_grid_thw"));
  EXPECT_THAT(with_picture({1, 2, 2}, 5), HasSubstr("image_grid_thw says 4 patches"));
  EXPECT_THAT(RefusalOf(TextInputs({1, 2, 3, 4}, {1, 0, 1, 1})),
              HasSubstr("attention_mask: row 0 has padding behind a token"));
  EXPECT_THAT(RefusalOf(TextInputs({1, 2, 3, 4}, {0, 0, 1, 1})), HasSubstr("row 0 is all padding"));
  EXPECT_THAT(RefusalOf({}), HasSubstr("input input_ids is missing"));
  NamedTensors floats;
  floats.emplace(kInputIds, Tensor(DType::kF32, {1, 1}));
  EXPECT_THAT(RefusalOf(floats), HasSubstr("expected i32 or i64, found f32"));
}

}  // namespace
}  // namespace vernier
