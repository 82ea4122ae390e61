#include <cmath>
#include <limits>

#include "core/float_types.h"
#include "vernier/tensor.h"

namespace vernier {
namespace {

TEST(Bf16, EveryValueSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FromBf16(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(FromBf16(ToBf16(value))));
    } else {
      EXPECT_EQ(ToBf16(value), bits);
    }
  }
}

TEST(Bf16, RoundsHalfToEven) {
  EXPECT_EQ(ToBf16(1.0f + 0x1p-8f), ToBf16(1.0f));
  EXPECT_EQ(FromBf16(ToBf16(1.0f + 3 * 0x1p-8f)), 1.0f + 0x1p-6f);
}

TEST(F16, EveryValueSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FromF16(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(FromF16(ToF16(value))));
    } else {
      EXPECT_EQ(ToF16(value), bits) << value;
    }
  }
}

TEST(F16, RoundsToInfinityBeyondItsRange) {
  EXPECT_EQ(FromF16(ToF16(65504.0f)), 65504.0f);
  EXPECT_EQ(FromF16(ToF16(65519.0f)), 65504.0f);
  EXPECT_TRUE(std::isinf(FromF16(ToF16(65520.0f))));
}

TEST(F8, KnowsTheLargestValuesOfBothFormats) {
  EXPECT_EQ(FromF8E4M3(0x7e), 448.0f);
  EXPECT_TRUE(std::isnan(FromF8E4M3(0x7f)));
  EXPECT_EQ(FromF8E4M3(0x01), 0x1p-9f);
  EXPECT_EQ(FromF8E5M2(0x7b), 57344.0f);
  EXPECT_TRUE(std::isinf(FromF8E5M2(0x7c)));
}

}  // namespace
}  // namespace vernier
