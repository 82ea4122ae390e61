#include "kernels/cpu/pack.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "core/float_types.h"

namespace vernier {
namespace {

// Value of weight [row, k] that all float formats hold exactly.
float Weight(int64_t row, int64_t k) { return static_cast<float>((row * 7 + k * 3) % 200) - 100; }

std::vector<char> Rows(DType dtype, int64_t n, int64_t k, int64_t stride) {
  std::vector<char> bytes(static_cast<size_t>(n * stride) * ByteSize(dtype));
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t i = 0; i < k; ++i) {
      const float value = Weight(row, i);
      const double wide = value;
      const uint16_t half = ToF16(value), brain = ToBf16(value);
      const void* from = dtype == DType::kF64   ? static_cast<const void*>(&wide)
                         : dtype == DType::kF32 ? static_cast<const void*>(&value)
                         : dtype == DType::kF16 ? static_cast<const void*>(&half)
                                                : static_cast<const void*>(&brain);
      std::memcpy(&bytes[static_cast<size_t>(row * stride + i) * ByteSize(dtype)], from,
                  ByteSize(dtype));
    }
  }
  return bytes;
}

Tensor PackAll(const PackedLayout& layout, std::vector<PackSource> parts) {
  Tensor packed(DType::kU8, Shape{static_cast<int64_t>(layout.bytes())});
  std::memset(packed.data(), 0xff, packed.bytes());
  for (int64_t panel = 0; panel < layout.panels(); ++panel) {
    int64_t first = 0;
    for (const PackSource& part : parts) {
      PackPanel(layout, panel, part, first, packed.data());
      first += part.n;
    }
    PadPanel(layout, panel, packed.data());
  }
  return packed;
}

// Element [n, k] by the definition in pack.h, written out independently of the packer.
float Element(const PackedLayout& layout, const Tensor& packed, int64_t n, int64_t k) {
  const int64_t panel = n / layout.panel_columns, column = n % layout.panel_columns;
  const char* at =
      static_cast<const char*>(packed.data()) + panel * static_cast<int64_t>(layout.panel_bytes());
  if (layout.dtype == DType::kF32) {
    return reinterpret_cast<const float*>(at)[k * layout.panel_columns + column];
  }
  const int64_t pair = k / 2 * layout.panel_columns + column;
  return FromBf16(reinterpret_cast<const uint16_t*>(at)[pair * 2 + k % 2]);
}

void ExpectEveryWeightInPlace(Isa isa, DType to, DType from, int64_t depth) {
  constexpr int64_t kRows = 70;
  const int64_t stride = depth + (depth == 70 ? 5 : 4);
  const PackedLayout layout = PackedLayoutFor(isa, to, kRows, depth);
  const std::vector<char> rows = Rows(from, kRows, depth, stride);
  const Tensor packed =
      PackAll(layout, {{.data = rows.data(), .dtype = from, .n = kRows, .row_stride = stride}});
  for (int64_t n = 0; n < layout.panels() * layout.panel_columns; ++n) {
    for (int64_t k = 0; k < layout.padded_k(); ++k) {
      const float expected = n < kRows && k < depth ? Weight(n, k) : 0.0f;
      ASSERT_EQ(Element(layout, packed, n, k), expected)
          << layout.tag() << " from " << Name(from) << " at " << n << ", " << k;
    }
  }
}

TEST(Pack, PlacesEveryWeightAndZeroesThePadding) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx512}) {
    for (DType to : {DType::kF32, DType::kBF16}) {
      for (DType from : {DType::kF64, DType::kF32, DType::kF16, DType::kBF16}) {
        for (int64_t depth : {35, 36, 70}) ExpectEveryWeightInPlace(isa, to, from, depth);
      }
    }
  }
}

TEST(Pack, JoinsPartsThatEndInsideAPanel) {
  constexpr int64_t kDepth = 20;
  const PackedLayout layout = PackedLayoutFor(Isa::kAvx512, DType::kBF16, 100, kDepth);
  const std::vector<char> whole = Rows(DType::kF32, 100, kDepth, kDepth);
  const auto part = [&whole](int64_t first, int64_t n) {
    return PackSource{.data = whole.data() + first * kDepth * 4,
                      .dtype = DType::kF32,
                      .n = n,
                      .row_stride = kDepth};
  };
  const Tensor joined = PackAll(layout, {part(0, 30), part(30, 50), part(80, 20)});
  const Tensor once = PackAll(layout, {part(0, 100)});
  EXPECT_EQ(std::memcmp(joined.data(), once.data(), once.bytes()), 0);
}

TEST(Pack, RoundsToNearestEven) {
  const std::vector<float> row = {1.00390625f, 1.01171875f, 1.005859375f};  // two ties, one above
  const PackedLayout layout = PackedLayoutFor(Isa::kScalar, DType::kBF16, 1, 3);
  const Tensor packed =
      PackAll(layout, {{.data = row.data(), .dtype = DType::kF32, .n = 1, .row_stride = 3}});
  EXPECT_EQ(Element(layout, packed, 0, 0), 1.0f);
  EXPECT_EQ(Element(layout, packed, 0, 1), 1.015625f);
  EXPECT_EQ(Element(layout, packed, 0, 2), 1.0078125f);
}

TEST(Pack, NamesItsLayoutAsOneDnnDoes) {
  EXPECT_STREQ(PackedLayoutFor(Isa::kAvx512, DType::kF32, 1, 1).tag(), "BA16a64b");
  EXPECT_STREQ(PackedLayoutFor(Isa::kAmx, DType::kBF16, 1, 1).tag(), "BA16a64b2a");
  EXPECT_STREQ(PackedLayoutFor(Isa::kAvx2, DType::kF32, 1, 1).tag(), "BA16a16b");
}

TEST(Pack, QuantizesEachRowByItsLargestWeight) {
  // Row 0 reaches 2 and holds halves of steps, row 1 is zero, row 2 holds NaN and a value.
  const float step = 2.0f / 127.0f;
  const std::vector<float> rows = {-2.0f, 2.5f * step, 0.5f * step, 1.5f * step, 0.0f,  0.0f,
                                   0.0f,  0.0f,        NAN,         1.0f,        -1.0f, 0.25f};
  for (Isa isa : {Isa::kScalar, Isa::kAvx512, Isa::kAvx512Bf16}) {
    const PackedLayout layout = PackedLayoutFor(isa, DType::kI8, 3, 4);
    const int64_t unit = layout.quads ? 4 : 2;
    const Tensor packed =
        PackAll(layout, {{.data = rows.data(), .dtype = DType::kF32, .n = 3, .row_stride = 4}});
    const auto* scales = static_cast<const float*>(packed.data());
    const auto* weights = static_cast<const int8_t*>(packed.data()) + layout.scale_bytes();
    const auto at = [&](int64_t n, int64_t k) {
      const int8_t kept = weights[(k / unit * layout.panel_columns + n) * unit + k % unit];
      return layout.quads ? int{static_cast<uint8_t>(kept)} - 128 : int{kept};
    };
    EXPECT_EQ(scales[0], step);
    EXPECT_EQ(at(0, 0), -127);
    EXPECT_NEAR(at(0, 1), 2.5, 0.5);
    EXPECT_EQ(scales[1], 0.0f);
    EXPECT_EQ(at(1, 2), 0);
    EXPECT_EQ(at(2, 2), -127);
    EXPECT_EQ(at(2, 3), 32);
    for (int64_t n = 3; n < layout.panel_columns; ++n) EXPECT_EQ(scales[n], 0.0f);
    for (int64_t k = 4; k < layout.padded_k(); ++k) EXPECT_EQ(at(0, k), 0);
    for (int64_t k = 0; k < layout.padded_k(); ++k) EXPECT_EQ(at(3, k), 0);
  }
}

}  // namespace
}  // namespace vernier
