// Masks from their boxes into the picture, as run lengths. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "models/blendmask/nms.h"
#include "models/preprocess.h"
#include "vernier/instances.h"

namespace vernier {

/// A box of the network's input in the picture's pixels, clipped to the picture; `network` is the
/// picture's size within the input, without padding. Empty where nothing of it is in the picture.
std::optional<BoxCorners> BoxInPicture(const BoxCorners& box, PictureSize network,
                                       PictureSize picture);

/// The mask of a whole picture: pixels where the probability, `resolution` by `resolution` values
/// stretched over `box` and 0 outside, is at least one half. `box` is that of BoxInPicture,
/// although the values were pooled from the box before clipping: so does the published model.
RunLengths PasteMask(std::span<const float> logits, int64_t resolution, const BoxCorners& box,
                     PictureSize picture);

}  // namespace vernier
