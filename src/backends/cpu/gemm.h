// Matrix multiplication with packed weights on a team of threads:
//   c[m, n] = act(sum over k of a[m, k] * w[n, k] + bias[n]) * scale[n] + residual[m, n]
// A Gemm is bound to sizes, types and threads once, then runs on any operands of that kind; it owns
// no memory, is immutable and may run in several threads at once, each with its own scratch.
// A row's result depends neither on the number of threads nor on the other rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/cpu_features.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/pack.h"

namespace vernier {

struct GemmDesc {
  int64_t m = 0;
  PackedLayout weights;  // n, k and their format
  DType a = DType::kF32;
  int64_t a_stride = 0;  // elements from row to row
  DType c = DType::kF32;
  int64_t c_stride = 0;
  bool bias = false;
  Activation activation = Activation::kNone;
  bool scale = false;
  bool residual = false;  // fp32
  int64_t residual_stride = 0;
  Isa isa = Isa::kScalar;  // the weights must be packed for it
  int threads = 1;
};

struct GemmOperands {
  const void* a = nullptr;
  const void* weights = nullptr;  // packed
  void* c = nullptr;
  const float* bias = nullptr;
  const float* scale = nullptr;
  const float* residual = nullptr;  // may be c
  void* scratch = nullptr;          // Gemm::scratch_bytes(), 64-byte aligned
};

class Gemm {
 public:
  explicit Gemm(const GemmDesc& desc);

  size_t scratch_bytes() const;
  /// The instruction set that runs.
  Isa isa() const { return kernel_.isa; }
  void Run(const GemmOperands& operands) const noexcept;

 private:
  struct RowRange {
    int64_t begin;
    int64_t end;
  };
  float* SumsOf(const GemmOperands& operands, int slot) const;
  void RunSlot(const GemmOperands& operands, int slot) const noexcept;
  void RunPanel(const GemmOperands& operands, int64_t panel, RowRange rows, float* sums) const;
  void MultiplyBlock(const GemmOperands& operands, int64_t panel, RowRange rows, RowRange all,
                     float* sums) const;
  void FinishBlock(const GemmOperands& operands, int64_t panel, RowRange rows,
                   const float* sums) const;

  GemmDesc desc_;
  GemmKernel kernel_;
  int64_t k_block_ = 0;     // multiplications between visits to the sums
  int64_t block_rows_ = 0;  // rows whose sums are kept at a time
};

/// Packs the rows of `parts`, one after the other, as one matrix of layout.n rows. `packed` has
/// layout.bytes(), 64-byte aligned.
void PackWeights(const PackedLayout& layout, std::span<const PackSource> parts, void* packed,
                 int threads);

}  // namespace vernier
