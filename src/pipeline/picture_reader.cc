#include "pipeline/picture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

PictureInfo InfoOf(const std::string& file, PictureReport report) {
  return {.file = file,
          .mode = std::move(report.mode),
          .height = report.size.height,
          .width = report.size.width,
          .exif_orientation = report.exif_orientation,
          .steps = std::move(report.steps),
          .warnings = std::move(report.warnings)};
}

// Messages of decoders begin with the file; those of processors do not.
Error NamingFile(const Error& error, const std::string& file) {
  return error.message().find(file) == std::string::npos ? error.WithContext(file) : error;
}

}  // namespace

Pictures PictureReader::Read(std::span<const std::string> files) const {
  Pictures pictures;
  Tensor batch;
  Shape one;
  for (size_t i = 0; i < files.size(); ++i) {
    try {
      const Image image = DecodeImage(files[i], decode);
      const Shape shape = output_shape(image);
      if (i == 0) {
        one = shape;
        batch = Tensor(DType::kF32, {static_cast<int64_t>(files.size()), one[0], one[1], one[2]});
      } else if (!(shape == one)) {
        throw Error(ErrorKind::kInput,
                    fmt::format("gives {}, the first picture of the batch {}", shape.ToString(),
                                one.ToString()),
                    "pictures of one batch need one size: use --batch 1 or --size");
      }
      const auto area = static_cast<size_t>(one.elements());
      pictures.info.push_back(
          InfoOf(files[i], process(image, batch.as<float>().subspan(i * area, area))));
    } catch (const Error& error) {
      throw NamingFile(error, files[i]);
    }
  }
  pictures.inputs.emplace("pixel_values", std::move(batch));
  return pictures;
}

}  // namespace vernier
