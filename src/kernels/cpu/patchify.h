// Cuts images into patches: [batch, channels, height, width] fp32 becomes one row per patch, row by
// row of the grid, with the patch's values in the order channel, y, x. What is left over at the
// right and bottom edges is dropped. Plain C++ on every machine: it moves bytes once per image.
// Pure, noexcept, no threads.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

struct PatchifyArgs {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t patch_height = 0;
  int64_t patch_width = 0;
  const float* images = nullptr;
  int64_t image_stride = 0;  // elements from one row of an image to the next
  void* out = nullptr;       // [batch * grid height * grid width, channels * patch area]
  Element out_element = Element::kF32;
  int64_t out_stride = 0;  // elements from row to row
};

void Patchify(const PatchifyArgs&) noexcept;

}  // namespace vernier
