#include "io/png_writer.h"

#include <fmt/format.h>
#include <png.h>

#include "core/check.h"
#include "io/atomic_file.h"
#include "vernier/error.h"

namespace vernier {

std::string EncodePng(const Image& image) {
  VN_CHECK(image.mode == ImageMode::kL || image.mode == ImageMode::kRGB);
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.mode == ImageMode::kL ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string file(bytes, '\0');
  if (png_image_write_to_memory(&png, file.data(), &bytes, 0, image.pixels.data(), 0, nullptr) ==
      0) {
    throw Error(ErrorKind::kResource, fmt::format("a picture of {}x{} cannot be written as PNG: {}",
                                                  image.width, image.height, png.message));
  }
  file.resize(bytes);
  return file;
}

void WritePng(const std::string& path, const Image& image) {
  WriteFileAtomically(path, EncodePng(image));
}

}  // namespace vernier
