// Every version of the transforms against the scalar one, and the scalar one against the identity
// that makes it a convolution.
#include "kernels/cpu/winograd.h"

#include <vector>

#include "kernels/cpu/winograd_filters.h"
#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

constexpr WinogradForm kForms[] = {WinogradForm::kF2, WinogradForm::kF4};
constexpr Element kElements[] = {Element::kF32, Element::kBf16};

// A tile beside each edge of a map whose sides no tile divides.
constexpr WinogradTiles kTiles = {.height = 7, .width = 9, .first = 1, .count = 5};
constexpr int64_t kPixels = 2 * 7 * 9;

class WinogradTransformKernels : public EachIsa {};

// [points][tiles][channels]
TestRows Values(WinogradForm form, int64_t channels, Element element) {
  return {WinogradPoints(form) * kTiles.count, channels, element};
}

TestRows RunInput(Isa isa, WinogradForm form, TestRows& map, int64_t channels, Element to) {
  TestRows values = Values(form, channels, to);
  SelectWinograd(isa, form).input({.tiles = kTiles,
                                   .map = map.data(),
                                   .element = map.element(),
                                   .pixel_stride = map.stride(),
                                   .channels = channels,
                                   .values = values.data(),
                                   .value_element = to,
                                   .point_stride = kTiles.count * values.stride(),
                                   .tile_stride = values.stride()});
  return values;
}

TEST_P(WinogradTransformKernels, TakeTilesToTheirPoints) {
  for (const WinogradForm form : kForms) {
    for (const Element from : kElements) {
      for (const Element to : kElements) {
        for (const int64_t channels : kColumns) {
          TestRows map(kPixels, channels, from);
          map.FillNormal(kPixels, channels, 1);
          const TestRows expected = RunInput(Isa::kScalar, form, map, channels, to);
          const TestRows found = RunInput(GetParam(), form, map, channels, to);
          for (int64_t row = 0; row < WinogradPoints(form) * kTiles.count; ++row) {
            for (int64_t c = 0; c < channels; ++c) {
              const double value = expected.Get(row, c);
              // At most 36 terms of up to 25 times a value below 5, each rounded a few times.
              const double tolerance = 2 * found.Rounding(value) + 25 * 5 * 8 * 0x1p-24;
              ASSERT_NEAR(found.Get(row, c), value, tolerance) << channels << " channels";
            }
            ASSERT_TRUE(std::isnan(found.Get(row, channels)));
          }
        }
      }
    }
  }
}

TestRows RunOutput(Isa isa, WinogradForm form, TestRows& sums, TestRows& residual, int64_t channels,
                   Element to) {
  TestRows map(kPixels, channels, to);
  const std::vector<float> bias(static_cast<size_t>(channels), 0.25f);
  SelectWinograd(isa, form).output({.tiles = kTiles,
                                    .sums = sums.floats(),
                                    .point_stride = kTiles.count * sums.stride(),
                                    .tile_stride = sums.stride(),
                                    .channels = channels,
                                    .bias = bias.data(),
                                    .residual = residual.data(),
                                    .residual_element = residual.element(),
                                    .residual_stride = residual.stride(),
                                    .relu = true,
                                    .map = map.data(),
                                    .element = to,
                                    .pixel_stride = map.stride()});
  return map;
}

TEST_P(WinogradTransformKernels, TakeSumsBackToTilesOfTheMapAlone) {
  for (const WinogradForm form : kForms) {
    for (const Element added : kElements) {
      for (const Element to : kElements) {
        for (const int64_t channels : kColumns) {
          TestRows sums = Values(form, channels, Element::kF32);
          sums.FillNormal(WinogradPoints(form) * kTiles.count, channels, 2);
          TestRows residual(kPixels, channels, added);
          residual.FillNormal(kPixels, channels, 3);
          const TestRows expected = RunOutput(Isa::kScalar, form, sums, residual, channels, to);
          const TestRows found = RunOutput(GetParam(), form, sums, residual, channels, to);
          for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
            for (int64_t c = 0; c < channels; ++c) {
              const double value = expected.Get(pixel, c);
              ASSERT_EQ(std::isnan(value), std::isnan(found.Get(pixel, c))) << "pixel " << pixel;
              if (std::isnan(value)) continue;  // of another tile
              // At most 36 terms of up to 64 times a value below 5, each rounded a few times.
              const double tolerance = 2 * found.Rounding(value) + 64 * 5 * 8 * 0x1p-24;
              ASSERT_NEAR(found.Get(pixel, c), value, tolerance) << channels << " channels";
            }
            ASSERT_TRUE(std::isnan(found.Get(pixel, channels)));
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, WinogradTransformKernels, kVectorIsas, IsaName);

// One channel, one tile: the products at the points, taken back, are the convolution.
TEST(WinogradFilterTransform, MakesProductsAtThePointsAConvolution) {
  for (const WinogradForm form : kForms) {
    const int64_t side = WinogradOutputSide(form), points = WinogradPoints(form);
    const WinogradTiles tile = {.height = side, .width = side, .first = 0, .count = 1};
    TestRows map(side * side, 1, Element::kF32), result(side * side, 1, Element::kF32);
    map.FillNormal(side * side, 1, 4);
    const std::vector<float> filter = {1, -2, 3, 0.5f, -0.25f, 2, -1, 4, 0.75f};
    std::vector<double> filter_values(static_cast<size_t>(points));
    TransformFilters(form,
                     {.filters = filter.data(), .out = 1, .in = 1, .values = filter_values.data()});
    std::vector<float> sums(static_cast<size_t>(points));
    const WinogradTransforms& transforms = SelectWinograd(Isa::kScalar, form);
    transforms.input({.tiles = tile,
                      .map = map.data(),
                      .pixel_stride = map.stride(),
                      .channels = 1,
                      .values = sums.data(),
                      .point_stride = 1,
                      .tile_stride = 1});
    for (size_t i = 0; i < sums.size(); ++i) sums[i] *= static_cast<float>(filter_values[i]);
    transforms.output({.tiles = tile,
                       .sums = sums.data(),
                       .point_stride = 1,
                       .tile_stride = 1,
                       .channels = 1,
                       .map = result.data(),
                       .pixel_stride = result.stride()});
    for (int64_t row = 0; row < side; ++row) {
      for (int64_t column = 0; column < side; ++column) {
        double expected = 0;
        for (int64_t tap = 0; tap < 9; ++tap) {
          const int64_t y = row + tap / 3 - 1, x = column + tap % 3 - 1;
          if (y < 0 || y >= side || x < 0 || x >= side) continue;
          expected += double{filter[static_cast<size_t>(tap)]} * map.Get(y * side + x, 0);
        }
        // Sums below 30 of terms that F(4x4) makes up to a hundred times larger.
        EXPECT_NEAR(result.Get(row * side + column, 0), expected, 30 * 100 * 0x1p-24);
      }
    }
  }
}

}  // namespace
}  // namespace vernier::testing
