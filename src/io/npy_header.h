// The header of a .npy file: a Python dictionary in text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "vernier/tensor.h"

namespace vernier {

struct NpyLayout {
  DType dtype = DType::kF32;
  Shape shape;
  bool fortran_order = false;
  bool big_endian = false;
  size_t data_offset = 0;
};

/// Throws Error{kInput} with `path` and what is wrong.
NpyLayout ParseNpyHeader(std::span<const uint8_t> file, const std::string& path);

/// Throws Error{kInput} unless a file of `file_bytes` holds exactly the elements of `layout`.
void CheckNpySize(const NpyLayout& layout, size_t file_bytes, const std::string& path);

}  // namespace vernier
