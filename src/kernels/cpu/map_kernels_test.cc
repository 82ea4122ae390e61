// What stands before and behind the product of a convolution.
#include "kernels/cpu/im2row.h"
#include "kernels/cpu/map_tile.h"
#include "kernels/cpu/pixel_windows.h"
#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

// Kernels of each width that has a loop of its own, and others.
TEST(Im2Row, OrdersChannelThenRowThenColumnWithZerosBeyondTheMap) {
  constexpr int64_t kChannels = 2, kHeight = 9, kWidth = 12, kStride = 2, kPadding = 1;
  struct Kernel {
    int64_t height, width;
  };
  for (const Kernel& kernel : {Kernel{3, 2}, {3, 3}, {7, 7}, {1, 5}}) {
    const int64_t length = kChannels * kernel.height * kernel.width;
    const int64_t out_height = (kHeight + 2 * kPadding - kernel.height) / kStride + 1;
    const int64_t out_width = (kWidth + 2 * kPadding - kernel.width) / kStride + 1;
    const int64_t first = 2, pixels = out_height * out_width - first;
    for (Element element : {Element::kF32, Element::kBf16}) {
      TestRows map(kChannels * kHeight, kWidth, element);
      map.FillNormal(kChannels * kHeight, kWidth, 1);
      TestRows rows(1, pixels * length, element);

      Im2Row({.windows = {.element = element,
                          .channels = kChannels,
                          .height = kHeight,
                          .width = kWidth,
                          .kernel_height = kernel.height,
                          .kernel_width = kernel.width,
                          .stride = kStride,
                          .padding = kPadding,
                          .out_height = out_height,
                          .out_width = out_width,
                          .first_pixel = first,
                          .pixels = pixels},
              .map = map.data(),
              .row_stride = map.stride(),
              .rows = rows.data()});

      for (int64_t i = 0; i < pixels * length; ++i) {
        const int64_t pixel = first + i / length, tap = i % (kernel.height * kernel.width);
        const int64_t y = pixel / out_width * kStride - kPadding + tap / kernel.width;
        const int64_t x = pixel % out_width * kStride - kPadding + tap % kernel.width;
        const int64_t channel = i % length / (kernel.height * kernel.width);
        const bool inside = y >= 0 && y < kHeight && x >= 0 && x < kWidth;
        EXPECT_EQ(rows.Get(0, i), inside ? map.Get(channel * kHeight + y, x) : 0.0f) << i;
      }
    }
  }
}

// Windows of two pictures, with and without elements between the pixels' channels.
TEST(PixelWindows, OrdersRowThenColumnThenChannelWithZerosBeyondTheMap) {
  constexpr int64_t kHeight = 4, kWidth = 5, kKernelH = 2, kKernelW = 3, kOutHeight = 3;
  constexpr int64_t kStride = 2, kPadding = 1, kOutWidth = 3, kFirst = 5, kPixels = 11;
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (const int64_t channels : {1, 3, 17}) {
      const int64_t length = channels * kKernelH * kKernelW;
      TestRows map(2 * kHeight * kWidth, channels, element);
      map.FillNormal(2 * kHeight * kWidth, channels, 1);
      TestRows rows(1, kPixels * length, element);

      PixelWindows({.windows = {.element = element,
                                .channels = channels,
                                .height = kHeight,
                                .width = kWidth,
                                .kernel_height = kKernelH,
                                .kernel_width = kKernelW,
                                .stride = kStride,
                                .padding = kPadding,
                                .out_height = kOutHeight,
                                .out_width = kOutWidth,
                                .first_pixel = kFirst,
                                .pixels = kPixels},
                    .map = map.data(),
                    .pixel_stride = map.stride(),
                    .rows = rows.data()});

      for (int64_t i = 0; i < kPixels * length; ++i) {
        const int64_t pixel = kFirst + i / length, tap = i % length / channels;
        const int64_t picture = pixel / (kOutHeight * kOutWidth);
        const int64_t y = pixel / kOutWidth % kOutHeight * kStride - kPadding + tap / kKernelW;
        const int64_t x = pixel % kOutWidth * kStride - kPadding + tap % kKernelW;
        const bool inside = y >= 0 && y < kHeight && x >= 0 && x < kWidth;
        const int64_t from = (picture * kHeight + y) * kWidth + x;
        EXPECT_EQ(rows.Get(0, i), inside ? map.Get(from, i % channels) : 0.0f) << i;
      }
    }
  }
}

// Pixels 4 to 11 of maps of 3 rows of 5, so that a tile begins and ends within a row.
TEST(MapTile, AddsBiasAndResidualAndTurnsRowsToMaps) {
  constexpr int64_t kChannels = 3, kHeight = 3, kWidth = 5, kFirst = 4, kPixels = 8;
  TestRows results(1, kPixels * kChannels, Element::kF32);
  results.FillNormal(1, kPixels * kChannels, 1);
  const float bias[] = {0.25f, -1.0f, 2.0f};
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (Element residual_element : {Element::kF32, Element::kBf16}) {
      for (bool relu : {false, true}) {
        for (bool has_residual : {false, true}) {
          TestRows residual(kChannels * kHeight, kWidth, residual_element);
          residual.FillNormal(kChannels * kHeight, kWidth, 2);
          TestRows map(kChannels * kHeight, kWidth, element);

          StoreMapTile({.pixels = kPixels,
                        .channels = kChannels,
                        .results = results.floats(),
                        .bias = bias,
                        .first_pixel = kFirst,
                        .width = kWidth,
                        .height = kHeight,
                        .residual = has_residual ? residual.data() : nullptr,
                        .residual_element = residual_element,
                        .residual_stride = residual.stride(),
                        .relu = relu,
                        .map = map.data(),
                        .element = element,
                        .row_stride = map.stride()});

          for (int64_t i = 0; i < kPixels * kChannels; ++i) {
            const int64_t channel = i / kPixels, pixel = kFirst + i % kPixels;
            const int64_t row = channel * kHeight + pixel / kWidth, column = pixel % kWidth;
            float expected = results.Get(0, i % kPixels * kChannels + channel) + bias[channel];
            if (has_residual) expected += residual.Get(row, column);
            if (relu) expected = std::max(expected, 0.0f);
            if (element == Element::kBf16) expected = FromBf16(ToBf16(expected));
            EXPECT_EQ(map.Get(row, column), expected);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace vernier::testing
