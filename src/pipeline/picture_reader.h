// The families' processors behind one face: files in, the network's inputs out.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/preprocess.h"
#include "vernier/session.h"

namespace vernier {

struct PictureReader {
  std::string input = "pixel_values";
  std::function<Shape(const Image&)> output_shape;  // of one picture: [3, height, width]
  std::function<PictureReport(const Image&, std::span<float>)> process;
  /// Instead of `process`, for models that read something above the picture.
  std::function<PictureReport(const Image&, const PictureHeader&, std::span<float>)>
      process_under_header = {};
  /// Adds what follows from the batch, such as a mask; may be empty.
  std::function<void(NamedTensors&)> complete = {};
  std::function<Json()> describe;
  ImageDecodeOptions decode = {};

  /// All of `files` as one batch. Throws Error{kInput} naming the file that cannot be used.
  Pictures Read(std::span<const std::string> files, const PictureHeaders& headers = {}) const;

 private:
  PictureReport Process(const Image& image, const std::optional<Image>& header_image,
                        const std::optional<std::string>& question, std::span<float> out) const;
};

}  // namespace vernier
