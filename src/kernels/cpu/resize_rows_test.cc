#include "kernels/cpu/resize_rows.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class ResizeRows : public EachIsa {};

constexpr int64_t kWidth = 4, kOutWidth = 9;

struct ResizeCase {
  int64_t channels;
  Element in, addend, out;
  bool blend, adds;
};

void ExpectResized(Isa isa, const ResizeCase& c) {
  TestRows upper(kWidth, c.channels, c.in), lower(kWidth, c.channels, c.in);
  TestRows addend(kOutWidth, c.channels, c.addend), out(kOutWidth, c.channels, c.out);
  upper.FillNormal(kWidth, c.channels, 1);
  lower.FillNormal(kWidth, c.channels, 2);
  addend.FillNormal(kOutWidth, c.channels, 3);
  std::vector<ResizeTap> taps;
  for (int64_t x = 0; x < kOutWidth; ++x) {
    const int64_t low = x * kWidth / kOutWidth;
    taps.push_back({low, std::min(low + 1, kWidth - 1), 0.125f * static_cast<float>(x % 8)});
  }
  constexpr float kLowerShare = 0.25f;

  ResizeRowArgs args = {.channels = c.channels,
                        .out_width = kOutWidth,
                        .columns = taps.data(),
                        .lower_share = kLowerShare,
                        .blend = c.blend,
                        .upper = {upper.data(), c.in, upper.stride()},
                        .lower = {c.blend ? lower.data() : nullptr, c.in, lower.stride()},
                        .out = {out.data(), c.out, out.stride()}};
  if (c.adds) args.addend = {addend.data(), c.addend, addend.stride()};
  SelectResizeRow(isa)(args);

  for (int64_t x = 0; x < kOutWidth; ++x) {
    const ResizeTap& tap = taps[static_cast<size_t>(x)];
    for (int64_t i = 0; i < c.channels; ++i) {
      const auto across = [&](const TestRows& row) {
        const double share = tap.share;
        return row.Get(tap.low, i) * (1.0 - share) + row.Get(tap.high, i) * share;
      };
      double expected = upper.Get(tap.low, i);
      if (c.blend) expected = across(upper) * (1.0 - kLowerShare) + across(lower) * kLowerShare;
      if (c.adds) expected += addend.Get(x, i);
      // Values and weights below 4 and 1: four products and as many sums round.
      const double rounding = c.blend ? 8 * 4 * 0x1p-24 : 0.0;
      EXPECT_NEAR(out.Get(x, i), expected, rounding + 2 * out.Rounding(expected)) << c.channels;
    }
  }
}

TEST_P(ResizeRows, GiveTheNearestPixelOrABlendOfFour) {
  for (int64_t channels : kColumns) {
    for (Element in : {Element::kF32, Element::kBf16}) {
      for (Element out : {Element::kF32, Element::kBf16}) {
        for (bool blend : {false, true}) {
          ExpectResized(GetParam(), {channels, in, Element::kF32, out, blend, false});
          ExpectResized(GetParam(), {channels, in, Element::kF32, out, blend, true});
          ExpectResized(GetParam(), {channels, in, Element::kBf16, out, blend, true});
        }
      }
    }
  }
}

// So that a fused sum is the sum, bit for bit.
TEST_P(ResizeRows, AddAfterRounding) {
  constexpr int64_t kChannels = 37;
  TestRows rows(2 * kWidth, kChannels, Element::kF32), addend(1, kChannels, Element::kF32);
  rows.FillNormal(2 * kWidth, kChannels, 1);
  addend.FillNormal(1, kChannels, 2);
  TestRows resized(1, kChannels, Element::kF32), sum(1, kChannels, Element::kF32);
  const ResizeTap tap{1, 2, 0.3f};
  ResizeRowArgs args = {
      .channels = kChannels,
      .out_width = 1,
      .columns = &tap,
      .lower_share = 0.7f,
      .blend = true,
      .upper = {rows.data(), Element::kF32, rows.stride()},
      .lower = {rows.floats() + kWidth * rows.stride(), Element::kF32, rows.stride()},
      .out = {resized.data(), Element::kF32, resized.stride()}};
  SelectResizeRow(GetParam())(args);
  args.addend = {addend.data(), Element::kF32, addend.stride()};
  args.out.data = sum.data();
  SelectResizeRow(GetParam())(args);
  for (int64_t c = 0; c < kChannels; ++c) {
    EXPECT_EQ(sum.Get(0, c), resized.Get(0, c) + addend.Get(0, c));
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, ResizeRows, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
