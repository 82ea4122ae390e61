// The grids of packed pictures as kernels read them: checked once, then walked without memory.
#pragma once

#include <cstdint>

#include "backends/tensor_arg.h"

namespace vernier {

/// One picture's patches: rows x columns of them, from patch `first` on.
struct PictureGrid {
  int64_t first;
  int64_t rows;
  int64_t columns;

  int64_t patches() const { return rows * columns; }
};

class PictureGrids {
 public:
  /// Of grids [pictures, 3] (i32) over `patches` patches, merged side x side later on. Throws
  /// Error{kInput} naming the picture whose grid is none, or both numbers when the grids hold
  /// another number of patches. Borrows the operand.
  PictureGrids(const TensorArg& grids, int64_t patches, int64_t side = 1);

  int64_t count() const { return grids_.shape[0]; }

  template <typename Body>
  void ForEach(Body body) const {
    int64_t first = 0;
    for (int64_t picture = 0; picture < count(); ++picture) {
      const auto* numbers = grids_.row<const int32_t>(picture);
      const PictureGrid grid{first, numbers[1], numbers[2]};
      body(grid);
      first += grid.patches();
    }
  }

 private:
  const TensorArg& grids_;
};

}  // namespace vernier
