#include "kernels/cpu/max_pool.h"

#include <limits>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class MaxPools : public EachIsa {};

struct Window {
  int64_t kernel, stride, padding;
};

void ExpectPooled(Isa isa, int64_t height, int64_t width, int64_t channels, Window window,
                  Element element, bool with_nan) {
  const auto windows = [&](int64_t size) {
    return (size + 2 * window.padding - window.kernel) / window.stride + 1;
  };
  const int64_t out_height = windows(height), out_width = windows(width);
  TestRows in(height * width, channels, element), out(out_height * out_width, channels, element);
  in.FillNormal(height * width, channels, 1);
  if (with_nan) in.Set(height * width / 2, channels / 2, std::nanf(""));
  in.Set(0, 0, -std::numeric_limits<float>::infinity());
  in.Set(height * width - 1, 0, std::numeric_limits<float>::infinity());

  for (int64_t row = 0; row < out_height; ++row) {
    const int64_t first = row * out_width * out.stride();
    SelectMaxPool(isa)({.in = {in.data(), element, in.stride()},
                        .line_stride = width * in.stride(),
                        .height = height,
                        .width = width,
                        .channels = channels,
                        .kernel = window.kernel,
                        .stride = window.stride,
                        .padding = window.padding,
                        .row = row,
                        .out = {static_cast<char*>(out.data()) + first * ElementBytes(element),
                                element, out.stride()},
                        .out_width = out_width});
  }

  for (int64_t pixel = 0; pixel < out_height * out_width; ++pixel) {
    const int64_t top = pixel / out_width * window.stride - window.padding;
    const int64_t left = pixel % out_width * window.stride - window.padding;
    for (int64_t c = 0; c < channels; ++c) {
      float expected = -std::numeric_limits<float>::infinity();
      for (int64_t i = 0; i < window.kernel * window.kernel; ++i) {
        const int64_t y = top + i / window.kernel, x = left + i % window.kernel;
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        const float value = in.Get(y * width + x, c);
        if (value > expected || std::isnan(value)) expected = value;
      }
      const float got = out.Get(pixel, c);
      EXPECT_TRUE(got == expected || (std::isnan(got) && std::isnan(expected)))
          << got << " instead of " << expected << " at " << pixel << ", channel " << c;
    }
  }
}

TEST_P(MaxPools, TakeTheLargestOfEachWindow) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (int64_t channels : {1, 7, 16, 33, 64}) {
      ExpectPooled(GetParam(), 7, 9, channels, {3, 2, 1}, element, false);
    }
    ExpectPooled(GetParam(), 1, 1, 5, {3, 2, 1}, element, false);
    ExpectPooled(GetParam(), 8, 6, 5, {2, 2, 0}, element, false);
    ExpectPooled(GetParam(), 5, 6, 5, {3, 1, 0}, element, false);
  }
}

TEST_P(MaxPools, LetNaNWin) {
  ExpectPooled(GetParam(), 7, 9, 33, {3, 2, 1}, Element::kF32, true);
  ExpectPooled(GetParam(), 7, 9, 33, {3, 2, 1}, Element::kBf16, true);
}

INSTANTIATE_TEST_SUITE_P(Isa, MaxPools, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
