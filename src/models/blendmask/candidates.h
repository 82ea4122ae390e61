// The places of one pyramid level whose scores pass the threshold, and the best of them: the scan
// over all classes at all places that comes before boxes. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/blendmask/config.h"

namespace vernier {

/// One pyramid level of one picture, as the head gives it.
struct HeadMaps {
  int64_t height = 0;
  int64_t width = 0;
  std::span<const float> cls_logits;  // [classes, height, width]
  std::span<const float> bbox_reg;    // [4, height, width]: left, top, right, bottom in strides
  std::span<const float> ctrness;     // [1, height, width]
};

struct Candidate {
  int64_t location = 0;  // row * width + column
  int32_t category = 0;
  float both = 0;  // class probability times centre-ness
};

/// A logit `x` with Sigmoid(x) * factor > least, rounded as floats are, is at least this; infinity
/// where there is none. So few sigmoids need to be computed. `factor` is between 0 and 1.
float LogitBound(float least, float factor);

/// In the order of places, class after class at each, where all candidates are within
/// `config.pre_nms_top_k`; the best ones otherwise, best first, the earlier first among equals.
/// Throws Error{kInput} where a score is NaN; `picture` is named in the message.
std::vector<Candidate> FindCandidates(const HeadMaps& maps, const BlendMaskConfig& config,
                                      const std::string& picture, int threads = 1);

/// Says that the model gives `what`, which no picture should make it give.
[[noreturn]] void RefuseNonFinite(const std::string& what, const std::string& picture);

}  // namespace vernier
