// Rows of masks in plain C++: the contract of the other versions.
#include <algorithm>
#include <limits>

#include "kernels/cpu/mask_rows.h"
#include "kernels/cpu/plain_exponential.h"

namespace vernier::scalar {
namespace {

float ValueAt(const RowBetween& row, int64_t at) {
  return row.above[at] * (1.0f - row.share) + row.below[at] * row.share;
}

void BlendRow(const BlendRowArgs& args) noexcept {
  constexpr float kLeast = -87.0f;  // what is less adds nothing to the largest exponential, 1
  for (int64_t i = 0; i < args.count; ++i) {
    float most = -std::numeric_limits<float>::infinity();
    for (int64_t k = 0; k < args.bases; ++k) {
      most = std::max(most, ValueAt(args.attention, k * args.count + i));
    }
    float sum = 0.0f, total = 0.0f;
    for (int64_t k = 0; k < args.bases; ++k) {
      const float less = ValueAt(args.attention, k * args.count + i) - most;
      const float weight = Exponential(std::max(less, kLeast));
      sum += weight * ValueAt(args.pooled, k * args.count + i);
      total += weight;
    }
    args.out[i] = sum / total;
  }
}

void Sigmoids(const float* in, int64_t count, float* out) noexcept {
  for (int64_t i = 0; i < count; ++i) out[i] = Sigmoid(in[i]);
}

void Foreground(const ForegroundArgs& args) noexcept {
  std::fill_n(args.bits, (args.count + 63) / 64, uint64_t{0});
  for (int64_t i = 0; i < args.count; ++i) {
    const float value = args.left[i] + args.share * (args.right[i] - args.left[i]);
    args.bits[i / 64] |= static_cast<uint64_t>(value >= args.threshold) << (i % 64);
  }
}

}  // namespace

const MaskRowKernels kMaskRows = {BlendRow, Sigmoids, Foreground};

}  // namespace vernier::scalar
