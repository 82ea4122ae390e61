// NumPy's .npy files: versions 1 to 3 are read, in either byte order and axis order; version 1 is
// written. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vernier/tensor.h"

namespace vernier {

/// The array as a row-major tensor in this machine's byte order. Throws Error naming the file when
/// it is damaged or holds a type that tensors do not have.
Tensor ReadNpy(const std::string& path);
/// The same from a file in memory; `path` is for messages.
Tensor ParseNpy(std::span<const uint8_t> file, const std::string& path);

/// Everything that stands before the elements, for writers that stream them. `dtype` must be one
/// that NumPy has: bf16 and 8-bit floats are converted to f32 by the caller.
std::string NpyHeader(DType dtype, const Shape& shape);

/// Writes the whole file or nothing.
void WriteNpy(const std::string& path, const TensorView& tensor);

}  // namespace vernier
