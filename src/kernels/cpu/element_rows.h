// Single elements of rows of either type, for portable kernels.
#pragma once

#include "core/float_types.h"
#include "kernels/cpu/elementwise.h"

namespace vernier {

inline float GetElement(const ConstElementRows& rows, int64_t row, int64_t column) {
  const int64_t at = row * rows.stride + column;
  if (rows.element == Element::kF32) return static_cast<const float*>(rows.data)[at];
  return FromBf16(static_cast<const uint16_t*>(rows.data)[at]);
}

inline void PutElement(float value, const ElementRows& rows, int64_t row, int64_t column) {
  const int64_t at = row * rows.stride + column;
  if (rows.element == Element::kF32) {
    static_cast<float*>(rows.data)[at] = value;
  } else {
    static_cast<uint16_t*>(rows.data)[at] = ToBf16(value);
  }
}

}  // namespace vernier
