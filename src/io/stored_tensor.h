// A tensor as a checkpoint file stores it: a name, a type, and where its bytes lie.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

struct StoredTensor {
  std::string name = {};
  DType dtype = DType::kF32;
  Shape shape = {};
  /// From the first element to the last that the tensor reaches, in the file's memory.
  std::span<const uint8_t> bytes = {};
  /// In elements; empty for a dense row-major tensor.
  std::vector<int64_t> strides = {};
  bool big_endian = false;

  /// Whether `bytes` can be used as it is: dense, in this machine's byte order, aligned.
  bool IsDirect() const;
  /// A dense, aligned copy of the elements.
  Tensor Copy() const;
};

/// Bytes of a tensor of this type and shape; nothing when the count does not fit into 63 bits.
std::optional<int64_t> TensorBytes(DType dtype, std::span<const int64_t> dims);

}  // namespace vernier
