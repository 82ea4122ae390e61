#include "kernels/cpu/transpose_units.h"

#include <cstring>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class TransposeUnitsKernels : public EachIsa {};

TEST_P(TransposeUnitsKernels, MoveEveryUnitOfRowsOnAnyAlignmentAndNothingElse) {
  constexpr uint32_t kUntouched = 0xdeadbeef;
  for (int64_t rows : {0, 1, 7, 8, 15, 16, 17, 33}) {
    for (int64_t units : {0, 1, 7, 8, 9, 16, 17, 40}) {
      for (int64_t offset : {0, 2}) {  // bytes; a tensor of 2-byte values may start there
        const int64_t row_bytes = (units + 3) * 4, to_stride = rows + 2;
        std::vector<char> from(static_cast<size_t>(rows * row_bytes + offset));
        for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i * 37 + i / 251);
        std::vector<uint32_t> to(static_cast<size_t>(units * to_stride), kUntouched);
        SelectTransposeUnits(GetParam())({.from = from.data() + offset,
                                          .row_bytes = row_bytes,
                                          .rows = rows,
                                          .units = units,
                                          .to = to.data(),
                                          .to_stride = to_stride,
                                          .next_bytes = rows * row_bytes});
        for (int64_t unit = 0; unit < units; ++unit) {
          for (int64_t row = 0; row < to_stride; ++row) {
            uint32_t expected = kUntouched;
            if (row < rows) {
              std::memcpy(&expected, from.data() + offset + row * row_bytes + unit * 4, 4);
            }
            ASSERT_EQ(to[static_cast<size_t>(unit * to_stride + row)], expected)
                << rows << " x " << units << " at " << row << ", " << unit;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, TransposeUnitsKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
