// The families' processors behind one face: files in, the network's inputs out.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/pages.h"
#include "models/preprocess.h"
#include "vernier/error.h"
#include "vernier/session.h"

namespace vernier {

/// What a processor says was done to a page of a file.
PictureInfo PictureInfoOf(const PictureFile& file, PictureReport report);

/// The error with the file's name in front where it lacks it: messages of decoders begin with it,
/// those of processors do not.
Error NamingFile(const Error& error, const std::string& file);

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
  PageOptions pages = {};
  bool pads = false;  // pictures of several sizes make a batch: smaller ones get zeros around them

  /// All of `files` as one batch. Throws Error{kInput} naming the file that cannot be used.
  Pictures Read(std::span<const PictureFile> files, const PictureHeaders& headers = {}) const;
  /// The same for the first pages of files.
  Pictures Read(std::span<const std::string> files, const PictureHeaders& headers = {}) const;

  /// Pictures that were read one by one, at least one, as one batch. Throws Error{kInput} naming
  /// the first that has another size than those before it, unless such are padded.
  Pictures Join(std::vector<Pictures> parts) const;

 private:
  PictureReport Process(const Image& image, const std::optional<Image>& header_image,
                        const std::optional<std::string>& question, std::span<float> out) const;
};

}  // namespace vernier
