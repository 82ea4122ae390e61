// Rotary positions in plain C++: the contract of the other versions.
#include "core/float_types.h"
#include "kernels/cpu/rotary.h"

namespace vernier::scalar {
namespace {

float Get(const void* base, Element element, int64_t at) {
  if (element == Element::kF32) return static_cast<const float*>(base)[at];
  return FromBf16(static_cast<const uint16_t*>(base)[at]);
}

void Put(float value, void* base, Element element, int64_t at) {
  if (element == Element::kF32) {
    static_cast<float*>(base)[at] = value;
  } else {
    static_cast<uint16_t*>(base)[at] = ToBf16(value);
  }
}

}  // namespace

void Rotary(const RotaryArgs& args) noexcept {
  const int64_t half = args.head_dim / 2;
  const bool halves = args.table.pairs == RotaryPairs::kHalves;
  for (int64_t token = 0; token < args.tokens; ++token) {
    const float* cos = args.table.cos + token * args.table.stride;
    const float* sin = args.table.sin + token * args.table.stride;
    for (int64_t pair = 0; pair < args.heads * half; ++pair) {
      const int64_t j = pair % half, head = pair / half * args.head_dim;
      const int64_t first = head + (halves ? j : 2 * j);
      const int64_t second = first + (halves ? half : 1);
      const float a = Get(args.in, args.in_element, token * args.in_stride + first);
      const float b = Get(args.in, args.in_element, token * args.in_stride + second);
      Put(a * cos[j] - b * sin[j], args.out, args.out_element, token * args.out_stride + first);
      Put(b * cos[j] + a * sin[j], args.out, args.out_element, token * args.out_stride + second);
    }
  }
}

}  // namespace vernier::scalar
