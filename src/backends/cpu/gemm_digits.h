// Activations as digits (kernels/cpu/gemm_abi.h), which products with i8 weights take where the
// CPU multiplies bytes. Made once for a product, by all threads, in its scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/pack.h"

namespace vernier {

struct GemmActivations {
  const void* rows;
  int64_t stride;  // elements from row to row
  DType dtype;
};

class GemmDigitRows {
 public:
  /// For `rows` rows and weights of `layout`, multiplied in calls of k_block.
  GemmDigitRows(const GemmKernel& kernel, int64_t rows, const PackedLayout& layout,
                int64_t k_block);

  /// Of memory for them, which starts at a multiple of 64 bytes.
  size_t bytes() const;
  void Fill(const GemmActivations& a, int threads, void* memory) const;
  /// Makes the rows from `row` on, from k on, g's activations; k is a multiple of k_block.
  void Give(const void* memory, int64_t row, int64_t k, GemmMultiply& g) const;

 private:
  // Digits come first, then scales, then starts.
  size_t digits_bytes() const;
  size_t scales_bytes() const;
  int64_t blocks() const;

  GemmDigitsFn to_digits_;
  int64_t digits_, rows_, k_, stride_, k_block_;
};

}  // namespace vernier
