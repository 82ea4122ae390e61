// A bounds-checked walk through a file's bytes, for the formats that are read without a library.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/image_codecs.h"

namespace vernier {

class ImageBytes {
 public:
  ImageBytes(const EncodedImage& file, ImageFormat format) : file_(file), format_(format) {}

  size_t position() const { return at_; }
  /// Bytes from here to the end; 0 past it.
  size_t left() const { return at_ < file_.bytes.size() ? file_.bytes.size() - at_ : 0; }

  /// May lie past the end; the next Take says so.
  void Seek(size_t at) { at_ = at; }

  /// The next `count` bytes; the file is truncated if it has fewer.
  std::span<const uint8_t> Take(size_t count);

  uint32_t LittleEndian(size_t count);

  [[noreturn]] void Refuse(const std::string& what, const std::string& hint = "") const {
    RefuseImage(file_, format_, what, hint);
  }

 private:
  const EncodedImage& file_;
  ImageFormat format_;
  size_t at_ = 0;
};

}  // namespace vernier
