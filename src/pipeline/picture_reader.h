// The families' processors behind one face: files in, pixel_values out.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "models/preprocess.h"
#include "vernier/session.h"

namespace vernier {

struct PictureReader {
  std::function<Shape(const Image&)> output_shape;  // [3, height, width]
  std::function<PictureReport(const Image&, std::span<float>)> process;
  std::function<Json()> describe;
  ImageDecodeOptions decode = {};

  /// All of `files` as one batch. Throws Error{kInput} naming the file that cannot be used.
  Pictures Read(std::span<const std::string> files) const;
};

}  // namespace vernier
