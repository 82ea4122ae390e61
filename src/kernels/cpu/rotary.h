// Rotary positions: turns pairs of channels by an angle per token and pair, the same for all heads.
// (a, b) becomes (a cos - b sin, b cos + a sin). Pure, noexcept, no threads; in may equal out.
// Bound: bytes (a read and a write of the row; the tables stay in cache over the heads); 52 GB/s on
// one Zen 4 core with AVX-512, interleaved, where a plain sum of rows moves 128.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

enum class Isa;

/// Which channels of a head of dim form pair j: (j, j + dim / 2), or (2 j, 2 j + 1).
enum class RotaryPairs : uint8_t { kHalves, kInterleaved };

/// One row of dim / 2 cosines and sines for each token; null `cos`: no rotation.
struct RotaryTable {
  const float* cos = nullptr;
  const float* sin = nullptr;
  int64_t stride = 0;  // floats from token to token
  RotaryPairs pairs = RotaryPairs::kHalves;

  /// The rows from `token` on.
  RotaryTable From(int64_t token) const {
    if (cos == nullptr) return *this;
    return {cos + token * stride, sin + token * stride, stride, pairs};
  }
};

struct RotaryArgs {
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;  // even
  RotaryTable table = {};
  const void* in = nullptr;  // [tokens, heads * head_dim]
  Element in_element = Element::kF32;
  int64_t in_stride = 0;  // elements from token to token
  void* out = nullptr;
  Element out_element = Element::kF32;
  int64_t out_stride = 0;
};

using RotaryKernel = void (*)(const RotaryArgs&) noexcept;

/// The fastest version within `isa`.
RotaryKernel SelectRotary(Isa isa);

namespace scalar {
void Rotary(const RotaryArgs&) noexcept;
}
namespace avx2 {
void Rotary(const RotaryArgs&) noexcept;
}
namespace avx512 {
void Rotary(const RotaryArgs&) noexcept;
}
namespace neon {
void Rotary(const RotaryArgs&) noexcept;
}

}  // namespace vernier
