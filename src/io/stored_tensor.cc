#include "io/stored_tensor.h"

#include "io/strided_copy.h"

namespace vernier {

bool StoredTensor::IsDirect() const {
  const auto address = reinterpret_cast<uintptr_t>(bytes.data());
  return strides.empty() && !big_endian && address % ByteSize(dtype) == 0;
}

Tensor StoredTensor::Copy() const {
  Tensor copy(dtype, shape);
  CopyStrided({.data = bytes.data(),
               .dtype = dtype,
               .shape = shape,
               .strides = strides.empty() ? RowMajorStrides(shape) : strides,
               .big_endian = big_endian},
              copy.data());
  return copy;
}

std::optional<int64_t> TensorBytes(DType dtype, std::span<const int64_t> dims) {
  auto bytes = static_cast<int64_t>(ByteSize(dtype));
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0) return std::nullopt;
    empty = empty || dim == 0;
    // A zero elsewhere does not excuse dimensions whose product overflows: strides would.
    if (dim != 0 && __builtin_mul_overflow(bytes, dim, &bytes)) return std::nullopt;
  }
  return empty ? 0 : bytes;
}

}  // namespace vernier
