// The size that a picture gets before it is cut into patches: near its own, in whole merged
// patches, within the checkpoint's limits. Follows smart_resize of transformers 5; pure.
#pragma once

#include <cstdint>

#include "models/preprocess.h"

namespace vernier {

struct SmartResizeLimits {
  int64_t factor = 28;  // pixels of a merged patch's side
  int64_t min_pixels = 147456;
  int64_t max_pixels = 2359296;
};

/// Throws Error{kInput} for a picture more than 200 times as long as wide.
PictureSize SmartResize(PictureSize from, const SmartResizeLimits& limits);

}  // namespace vernier
