// Gathers elements that a file stores with strides or in the other byte order into a dense,
// row-major tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

struct StridedSource {
  const uint8_t* data = nullptr;  // of the first element; any alignment
  DType dtype = DType::kF32;
  Shape shape;
  std::vector<int64_t> strides;  // in elements, one per axis; zero repeats, negative is not allowed
  bool big_endian = false;
};

std::vector<int64_t> RowMajorStrides(const Shape& shape);
std::vector<int64_t> FortranStrides(const Shape& shape);

/// Elements from the first to the last that the strides reach, 0 for an empty shape; nothing when
/// that count overflows.
std::optional<int64_t> ReachedElements(const Shape& shape, const std::vector<int64_t>& strides);

/// `to` has room for all elements; the source has been checked to reach no further than its memory.
void CopyStrided(const StridedSource& source, void* to);

}  // namespace vernier
