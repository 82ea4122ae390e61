// Pictures as PNG files, by libpng.
#pragma once

#include <string>

#include "io/image.h"

namespace vernier {

/// The bytes of an 8-bit grey (L) or RGB picture as a PNG file.
std::string EncodePng(const Image& image);

/// Writes the whole file or nothing.
void WritePng(const std::string& path, const Image& image);

}  // namespace vernier
