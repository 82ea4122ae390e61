// Rows of 4-byte units into columns: what packing weights is when their type does not change (an
// fp32 weight, or two neighbouring bf16 ones). Moves bits only. Pure, noexcept, no threads, no
// allocation. Bound: memory, a read and a write of each unit; the rows that follow are fetched
// meanwhile, because reading many rows side by side is what hardware does not foresee.
#pragma once

#include <cstdint>

namespace vernier {

enum class Isa;

struct TransposeUnits {
  const void* from = nullptr;  // on any alignment
  int64_t row_bytes = 0;       // from row to row, a multiple of 4
  int64_t rows = 0;
  int64_t units = 0;  // of a row
  void* to = nullptr;
  int64_t to_stride = 0;   // units from one unit of a row to its next
  int64_t next_bytes = 0;  // behind the last row, to be read soon
};

/// to[unit * to_stride + row] = unit `unit` of row `row`.
using TransposeUnitsKernel = void (*)(const TransposeUnits&) noexcept;

/// The fastest version within `isa`.
TransposeUnitsKernel SelectTransposeUnits(Isa isa);

namespace scalar {
void TransposeUnitRows(const TransposeUnits&) noexcept;
}
namespace avx2 {
void TransposeUnitRows(const TransposeUnits&) noexcept;
}
namespace avx512 {
void TransposeUnitRows(const TransposeUnits&) noexcept;
}
namespace neon {
void TransposeUnitRows(const TransposeUnits&) noexcept;
}

}  // namespace vernier
