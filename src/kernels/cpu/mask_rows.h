// The inner loops between a detector's maps and masks: rows of masks mixed from bases, their
// probabilities, and which values of a column are foreground. Pure, noexcept, no threads.
// Versions give equal bits: none of them contracts a product and a sum.
// Bound: arithmetic in the first-level cache, mostly exponentials.
#pragma once

#include <cstdint>

#include "core/cpu_features.h"

namespace vernier {

/// A row between two rows of every map: above * (1 - share) + below * share.
struct RowBetween {
  const float* above = nullptr;  // [bases, count]
  const float* below = nullptr;  // [bases, count]
  float share = 0.0f;
};

/// out[i] = the sum over bases of pooled[base][i], weighted by the softmax of attention[.][i].
struct BlendRowArgs {
  int64_t bases = 0;
  int64_t count = 0;
  RowBetween pooled;
  RowBetween attention;
  float* out = nullptr;
};

/// Bit i % 64 of bits[i / 64] says whether left[i] + share * (right[i] - left[i]) >= threshold.
struct ForegroundArgs {
  int64_t count = 0;
  const float* left = nullptr;
  const float* right = nullptr;
  float share = 0.0f;
  float threshold = 0.0f;    // above 0
  uint64_t* bits = nullptr;  // as many words as hold `count` bits; bits behind them are 0
};

struct MaskRowKernels {
  void (*blend)(const BlendRowArgs&) noexcept;
  void (*sigmoid)(const float* in, int64_t count, float* out) noexcept;  // `in` may be `out`
  void (*foreground)(const ForegroundArgs&) noexcept;
};

/// The fastest versions within `isa`.
const MaskRowKernels& SelectMaskRows(Isa isa);

namespace scalar {
extern const MaskRowKernels kMaskRows;
}
namespace avx2 {
extern const MaskRowKernels kMaskRows;
}
namespace avx512 {
extern const MaskRowKernels kMaskRows;
}
namespace neon {
extern const MaskRowKernels kMaskRows;
}

}  // namespace vernier
