// Masks as COCO's run lengths: made of pixels, written as the compressed text of pycocotools and
// read back, compared. Pure functions on values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vernier/instances.h"

namespace vernier {

/// `pixels` [height, width] row by row; what is not 0 is set.
RunLengths EncodeMask(std::span<const uint8_t> pixels, int64_t height, int64_t width);

/// [height, width] row by row, 0 and 1.
std::vector<uint8_t> DecodeMask(const RunLengths& mask);

std::string CompressedText(const RunLengths& mask);

/// Throws Error{kInput} for text that is cut short or whose runs do not fill the mask.
RunLengths ParseCompressedText(std::string_view text, int64_t height, int64_t width);

/// Intersection by union; by the detection's area where the truth is a crowd. Masks of two sizes
/// are a fault of the caller.
double MaskOverlap(const RunLengths& detection, const RunLengths& truth, bool crowd);

}  // namespace vernier
