#include "kernels/cpu/patchify.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

TEST(Patchify, OrdersChannelThenRowThenColumnAndDropsTheRemainder) {
  constexpr int64_t kBatch = 2, kChannels = 3, kHeight = 7, kWidth = 11, kPatchH = 3, kPatchW = 4;
  constexpr int64_t kGridH = 2, kGridW = 2, kLength = kChannels * kPatchH * kPatchW;
  TestRows images(1, kBatch * kChannels * kHeight * kWidth, Element::kF32);
  images.FillNormal(1, kBatch * kChannels * kHeight * kWidth, 1);
  for (Element element : {Element::kF32, Element::kBf16}) {
    TestRows out(kBatch * kGridH * kGridW, kLength, element);

    Patchify({.batch = kBatch,
              .channels = kChannels,
              .height = kHeight,
              .width = kWidth,
              .patch_height = kPatchH,
              .patch_width = kPatchW,
              .images = images.floats(),
              .image_stride = kWidth,
              .out = out.data(),
              .out_element = element,
              .out_stride = out.stride()});

    for (int64_t row = 0; row < kBatch * kGridH * kGridW; ++row) {
      for (int64_t i = 0; i < kLength; ++i) {
        const int64_t image = row / (kGridH * kGridW);
        const int64_t y = row / kGridW % kGridH * kPatchH + i / kPatchW % kPatchH;
        const int64_t x = row % kGridW * kPatchW + i % kPatchW;
        const int64_t channel = i / (kPatchH * kPatchW);
        const float pixel =
            images.Get(0, ((image * kChannels + channel) * kHeight + y) * kWidth + x);
        EXPECT_EQ(out.Get(row, i), element == Element::kF32 ? pixel : FromBf16(ToBf16(pixel)));
      }
    }
  }
}

}  // namespace
}  // namespace vernier::testing
