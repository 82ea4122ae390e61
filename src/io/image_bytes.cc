#include "io/image_bytes.h"

#include <fmt/format.h>

namespace vernier {

std::span<const uint8_t> ImageBytes::Take(size_t count) {
  if (left() < count)
    Refuse(
        fmt::format("truncated: the picture goes on after the file's {} bytes", file_.bytes.size()),
        "the download or copy was probably cut short; get the file again");
  at_ += count;
  return file_.bytes.subspan(at_ - count, count);
}

uint32_t ImageBytes::LittleEndian(size_t count) {
  uint32_t value = 0;
  const auto bytes = Take(count);
  for (size_t i = 0; i < count; ++i) value |= uint32_t{bytes[i]} << (8 * i);
  return value;
}

}  // namespace vernier
