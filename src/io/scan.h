// Looks through weights for NaN and infinity, which would spread into every result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

class Checkpoint;

struct NonFinite {
  int64_t nan = 0;
  int64_t inf = 0;

  bool any() const { return nan != 0 || inf != 0; }
};

/// Counts in one tensor; integers and booleans have none.
NonFinite CountNonFinite(const TensorView& tensor);

struct NonFiniteTensor {
  std::string name;
  NonFinite count;
};

/// The tensors that hold such values, in the order of the checkpoint. Reads each tensor once, on
/// `threads` threads; the time is that of reading memory.
std::vector<NonFiniteTensor> FindNonFinite(const Checkpoint& checkpoint, int threads);

}  // namespace vernier
