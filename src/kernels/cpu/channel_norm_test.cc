#include "kernels/cpu/channel_norm.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class ChannelNorms : public EachIsa {};

struct Moments {
  std::vector<float> about, sums, squares;
};

Moments MomentsOf(Isa isa, TestRows& rows, int64_t pixels, int64_t channels) {
  const auto count = static_cast<size_t>(channels);
  Moments m{std::vector<float>(count), std::vector<float>(count), std::vector<float>(count)};
  SelectChannelNorm(isa).moments({.pixels = pixels,
                                  .channels = channels,
                                  .in = {rows.data(), rows.element(), rows.stride()},
                                  .about = m.about.data(),
                                  .sums = m.sums.data(),
                                  .squares = m.squares.data()});
  return m;
}

void ExpectMoments(Isa isa, int64_t pixels, int64_t channels, Element element, float offset) {
  TestRows rows(pixels, channels, element);
  rows.FillNormal(pixels, channels, 1, 2.0f, offset);

  const Moments m = MomentsOf(isa, rows, pixels, channels);

  for (int64_t c = 0; c < channels; ++c) {
    double mean = 0.0, variance = 0.0, most = 0.0;
    const auto count = static_cast<double>(pixels);
    for (int64_t r = 0; r < pixels; ++r) mean += rows.Get(r, c) / count;
    for (int64_t r = 0; r < pixels; ++r) {
      most = std::max(most, std::abs(static_cast<double>(rows.Get(r, c))));
      variance += std::pow(rows.Get(r, c) - mean, 2) / count;
    }
    const auto at = static_cast<size_t>(c);
    const double rest = m.sums[at] / count;
    // A sum of n values rounds n times, each time by 2^-24 of what it has reached; `rest` takes
    // back what the first sum lost but for the rounding of differences to the mean.
    const double deviation = std::sqrt(variance) + most * 0x1p-24 * count;
    EXPECT_NEAR(m.about[at] + rest, mean, 4 * count * deviation * 0x1p-24 + 1e-37) << channels;
    EXPECT_NEAR(m.squares[at] / count - rest * rest, variance,
                4 * count * deviation * deviation * 0x1p-24 + 1e-37)
        << channels << " channels, " << pixels << " pixels";
  }
}

TEST_P(ChannelNorms, SumWhatMeansAndVariancesAreMadeOf) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (int64_t channels : kColumns) ExpectMoments(GetParam(), 9, channels, element, 0.5f);
    for (int64_t pixels : {1, 2, 31, 127, 128}) {
      ExpectMoments(GetParam(), pixels, 66, element, 0.5f);
    }
  }
}

TEST_P(ChannelNorms, KeepTheirAccuracyFarFromZero) {
  ExpectMoments(GetParam(), kMomentPixels, 66, Element::kF32, 1000.0f);
}

void ExpectScaled(Isa isa, int64_t channels, Element in_element, Element out_element, bool relu) {
  constexpr int64_t kPixels = 5;
  TestRows in(kPixels, channels, in_element), out(kPixels, channels, out_element);
  TestRows scale(1, channels, Element::kF32), shift(1, channels, Element::kF32);
  TestRows centre(1, channels, Element::kF32);
  centre.FillNormal(1, channels, 4);
  in.FillNormal(kPixels, channels, 1);
  scale.FillNormal(1, channels, 2);
  shift.FillNormal(1, channels, 3);

  SelectChannelNorm(isa).scale({.pixels = kPixels,
                                .channels = channels,
                                .in = {in.data(), in_element, in.stride()},
                                .centre = centre.floats(),
                                .scale = scale.floats(),
                                .shift = shift.floats(),
                                .relu = relu,
                                .out = {out.data(), out_element, out.stride()}});

  for (int64_t r = 0; r < kPixels; ++r) {
    for (int64_t c = 0; c < channels; ++c) {
      const double away = static_cast<double>(in.Get(r, c)) - centre.Get(0, c);
      const double product = away * scale.Get(0, c);
      double expected = product + shift.Get(0, c);
      if (relu) expected = std::max(expected, 0.0);
      // The difference rounds, the product may, and the sum does.
      EXPECT_NEAR(out.Get(r, c), expected,
                  2 * std::abs(product) * 0x1p-24 + 2 * out.Rounding(expected) + 1e-7)
          << channels;
    }
  }
}

TEST_P(ChannelNorms, ScaleAndShiftEachChannel) {
  for (int64_t channels : kColumns) {
    for (Element in : {Element::kF32, Element::kBf16}) {
      for (Element out : {Element::kF32, Element::kBf16}) {
        for (bool relu : {false, true}) ExpectScaled(GetParam(), channels, in, out, relu);
      }
    }
  }
}

TEST_P(ChannelNorms, LetNaNThroughTheRelu) {
  const std::vector<float> in(17, std::nanf("")), ones(17, 1.0f);
  std::vector<float> out(17);
  SelectChannelNorm(GetParam())
      .scale({.pixels = 1,
              .channels = 17,
              .in = {in.data(), Element::kF32, 17},
              .centre = ones.data(),
              .scale = ones.data(),
              .shift = ones.data(),
              .relu = true,
              .out = {out.data(), Element::kF32, 17}});
  for (float value : out) EXPECT_TRUE(std::isnan(value));
}

INSTANTIATE_TEST_SUITE_P(Isa, ChannelNorms, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
