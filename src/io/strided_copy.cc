#include "io/strided_copy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace vernier {
namespace {

void SwapBytes(uint8_t* data, size_t bytes, size_t element) {
  for (size_t i = 0; i < bytes; i += element) std::reverse(data + i, data + i + element);
}

}  // namespace

std::vector<int64_t> RowMajorStrides(const Shape& shape) {
  std::vector<int64_t> strides(static_cast<size_t>(shape.rank()));
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

std::vector<int64_t> FortranStrides(const Shape& shape) {
  std::vector<int64_t> strides(static_cast<size_t>(shape.rank()));
  int64_t stride = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

std::optional<int64_t> ReachedElements(const Shape& shape, const std::vector<int64_t>& strides) {
  if (shape.elements() == 0) return 0;
  int64_t last = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    int64_t step = 0;
    if (__builtin_mul_overflow(shape[axis] - 1, strides[static_cast<size_t>(axis)], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return std::nullopt;
    }
  }
  if (__builtin_add_overflow(last, 1, &last)) return std::nullopt;
  return last;
}

void CopyStrided(const StridedSource& source, void* to) {
  const Shape& shape = source.shape;
  const int64_t count = shape.elements();
  const size_t element = ByteSize(source.dtype);
  auto* out = static_cast<uint8_t*>(to);
  if (count == 0) return;
  if (source.strides == RowMajorStrides(shape)) {
    std::memcpy(out, source.data, static_cast<size_t>(count) * element);
  } else {
    std::array<int64_t, Shape::kMaxRank> index{};
    int64_t offset = 0;
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(out + static_cast<size_t>(i) * element,
                  source.data + static_cast<size_t>(offset) * element, element);
      // Advance the index like an odometer, and the offset with it.
      for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        const auto at = static_cast<size_t>(axis);
        offset += source.strides[at];
        if (++index[at] < shape[axis]) break;
        offset -= source.strides[at] * shape[axis];
        index[at] = 0;
      }
    }
  }
  if (source.big_endian) SwapBytes(out, static_cast<size_t>(count) * element, element);
}

}  // namespace vernier
