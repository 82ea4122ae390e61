// Rows of 4-byte units into columns in plain C++: the contract of the other versions.
#include "kernels/cpu/transpose_units.h"

#include <cstring>

namespace vernier::scalar {

void TransposeUnitRows(const TransposeUnits& t) noexcept {
  constexpr int64_t kUnitBytes = 4;
  for (int64_t row = 0; row < t.rows; ++row) {
    const char* from = static_cast<const char*>(t.from) + row * t.row_bytes;
    char* to = static_cast<char*>(t.to) + row * kUnitBytes;
    for (int64_t unit = 0; unit < t.units; ++unit) {
      std::memcpy(to + unit * t.to_stride * kUnitBytes, from + unit * kUnitBytes, kUnitBytes);
    }
  }
}

}  // namespace vernier::scalar
