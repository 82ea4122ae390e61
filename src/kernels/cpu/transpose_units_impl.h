// The transposition over any Vec (vec_<isa>.h) by its square blocks, for instruction-set files
// only.
#pragma once

#include "kernels/cpu/transpose_units.h"

namespace vernier {
namespace {

constexpr int64_t kUnitBytes = 4;

/// Rows [first, end) and units [unit, last) one by one.
inline void TransposeEach(const TransposeUnits& t, int64_t first, int64_t end, int64_t unit,
                          int64_t last) {
  for (int64_t row = first; row < end; ++row) {
    const char* from = static_cast<const char*>(t.from) + row * t.row_bytes;
    char* to = static_cast<char*>(t.to) + row * kUnitBytes;
    for (int64_t u = unit; u < last; ++u) {
      __builtin_memcpy(to + u * t.to_stride * kUnitBytes, from + u * kUnitBytes, kUnitBytes);
    }
  }
}

template <class V>
inline void TransposeRows(const TransposeUnits& t) {
  constexpr int64_t kLine = 64;
  const int64_t rows = t.rows / V::kWidth * V::kWidth, units = t.units / V::kWidth * V::kWidth;
  const auto* from = static_cast<const float*>(t.from);
  auto* to = static_cast<float*>(t.to);
  const int64_t stride = t.row_bytes / kUnitBytes;
  const char* next = static_cast<const char*>(t.from) + t.rows * t.row_bytes;
  int64_t fetched = 0;
  for (int64_t unit = 0; unit < units; unit += V::kWidth) {
    for (; fetched < t.next_bytes / units * (unit + V::kWidth); fetched += kLine) {
      __builtin_prefetch(next + fetched, 0, 2);
    }
    for (int64_t row = 0; row < rows; row += V::kWidth) {
      V::TransposeBlock(from + row * stride + unit, stride, to + unit * t.to_stride + row,
                        t.to_stride);
    }
  }
  TransposeEach(t, 0, rows, units, t.units);
  TransposeEach(t, rows, t.rows, 0, t.units);
}

}  // namespace
}  // namespace vernier
