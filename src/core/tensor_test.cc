#include "vernier/tensor.h"

#include <cstdint>
#include <limits>

#include "vernier/error.h"

namespace vernier {
namespace {

TEST(Shape, RefusesProductsThatOverflow) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_THROW(Shape({huge, 2}), Error);
  EXPECT_THROW(Shape({-1}), Error);
  EXPECT_THROW(Shape({1, 1, 1, 1, 1, 1, 1, 1, 1}), Error);
}

TEST(Shape, CountsElementsOfScalarsAndEmptyTensors) {
  EXPECT_EQ(Shape({}).elements(), 1);
  EXPECT_EQ(Shape({3, 0, 5}).elements(), 0);
  EXPECT_EQ(Shape({2, 3})[-1], 3);
}

TEST(Tensor, IsAlignedForTheWidestVectors) {
  const Tensor tensor(DType::kF32, {3});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
}

TEST(Tensor, StartsOnALargePageWhenItFillsSomeWhateverItsSize) {
  constexpr int64_t kLargePage = int64_t{2} << 20;
  const Tensor large(DType::kU8, {4 * kLargePage + 1000});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data()) % kLargePage, 0U);
}

TEST(ToFloat32, WidensBf16ByShifting) {
  Tensor half(DType::kBF16, {2});
  half.as<uint16_t>()[0] = 0x3f80;
  half.as<uint16_t>()[1] = 0xc000;
  const Tensor wide = ToFloat32(half.view());
  EXPECT_EQ(wide.as<float>()[0], 1.0f);
  EXPECT_EQ(wide.as<float>()[1], -2.0f);
}

TEST(ToFloat32, ConvertsIntegersByValue) {
  Tensor ints(DType::kI64, {1});
  ints.as<int64_t>()[0] = -7;
  EXPECT_EQ(ToFloat32(ints.view()).as<float>()[0], -7.0f);
}

}  // namespace
}  // namespace vernier
