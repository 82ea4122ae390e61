// Resizing without antialias as Pillow does it: each output pixel is the interpolation of the
// source at one point, in double precision, cut to a whole number. Image.resize has no such form
// (it is antialiased whenever it shrinks); this is Image.transform(size, EXTENT, (0, 0, width,
// height)). Pure functions.
#pragma once

#include <cstdint>

#include "io/resize.h"

namespace vernier {

/// Bilinear or bicubic (a = -1, Pillow's choice here), modes of 8-bit channels.
Image InterpolateAtPoints(const Image& source, int64_t height, int64_t width,
                          const ResizeOptions& options);

}  // namespace vernier
