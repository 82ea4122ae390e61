// Matrix multiplication with packed weights on a team of threads:
//   c[m, n] = act(sum over k of a[m, k] * w[n, k] + bias[n] + addend[m, n]) * scale[n]
//             + residual[m, n]
// A Gemm is bound to sizes, types and threads once, then runs on any operands of that kind; it owns
// no memory, is immutable and may run in several threads at once, each with its own scratch.
// i8 weights bring a scale for each n, which multiplies the sums (pack.h). A row's result depends
// neither on the number of threads nor on the other rows.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "backends/cpu/gemm_digits.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/work_shares.h"
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
  DType addend = DType::kF32;  // or bf16, where operands bring one: our own kernels only
  int64_t addend_stride = 0;
  Activation activation = Activation::kNone;
  bool scale = false;
  // c[m, n] = act(a·w of the panels' first halves) * (a·w of their second halves): each panel holds
  // half a panel of gates, then the values that they gate. 0: not so; else the columns of c.
  int64_t gated_columns = 0;
  bool residual = false;  // fp32
  int64_t residual_stride = 0;
  bool residual_in_place = false;  // the residual is c itself
  Isa isa = Isa::kScalar;          // the weights must be packed for it
  int threads = 1;
};

struct GemmOperands {
  const void* a = nullptr;
  const void* weights = nullptr;  // packed
  void* c = nullptr;
  const float* bias = nullptr;
  const void* addend = nullptr;  // null: none; may be c
  const float* scale = nullptr;
  const float* residual = nullptr;            // may be c
  void* scratch = nullptr;                    // Gemm::scratch_bytes(), 64-byte aligned
  const std::atomic<bool>* cancel = nullptr;  // set: the panels that are left are left out
};

enum class GemmProvider { kVernier, kOnednn };

/// The provider that measured faster for such products; oneDNN only where this build has it, it has
/// a good kernel and the weights are packed for the best instruction set here. Does not depend on
/// the number of rows, so that batches of all sizes get the same bits.
GemmProvider FasterGemmProvider(const GemmDesc& desc);

class Gemm {
 public:
  /// Throws Error{kDevice} where oneDNN is asked for and has no good kernel or is not built in.
  explicit Gemm(const GemmDesc& desc, GemmProvider provider = GemmProvider::kVernier);

  /// Enough also for our own kernels on fewer rows, whoever provides this product.
  size_t scratch_bytes() const;
  GemmProvider provider() const;
  /// What runs: "avx512_bf16", or oneDNN's name of its kernel.
  std::string kernel_name() const;
  /// The instruction set that our own kernel uses.
  Isa isa() const { return kernel_.isa; }
  /// Whether each weight is read for one tile of rows alone: memory bounds the product.
  bool reads_weights_once() const { return Tiles() == 1; }
  /// Our own kernels do not throw; oneDNN's failures are Error{kInternal}.
  void Run(const GemmOperands& operands) const;

 private:
  struct RowRange {
    int64_t begin;
    int64_t end;
  };
  // A panel's weights as they are multiplied: packed, or widened from i8.
  struct Panel {
    const void* b;
    int64_t bytes_per_k;
    GemmMultiplyFn multiply;
  };
  // Rows of a panel, those whose sums are kept together for example, within all from where this
  // thread began with the panel to the end of the part.
  struct Block {
    int64_t panel;
    RowRange rows;
    RowRange all;
    float* sums = nullptr;
  };
  bool Widens(int64_t rows) const;
  size_t sums_bytes() const;     // of one thread
  size_t widened_bytes() const;  // of one thread
  void* DigitsOf(const GemmOperands& operands) const;
  Panel PanelOf(const GemmOperands& operands, int64_t panel, int64_t rows, float* sums) const;
  float* SumsOf(const GemmOperands& operands, int slot) const;
  WorkShare* SharesOf(const GemmOperands& operands) const;
  int64_t Tiles() const;  // of rows
  std::span<WorkShare> DealUnits(const GemmOperands& operands) const;
  Block BlockOf(UnitRange units) const;  // of units of one panel
  void RunSlot(const GemmOperands& operands, int slot, std::span<WorkShare> shares) const noexcept;
  int64_t BlockRows(int64_t rows) const;  // of a block, where there are `rows`
  void RunRows(const GemmOperands& operands, const Panel& weights, const Block& rows) const;
  void MultiplyBlock(const GemmOperands& operands, const Panel& weights, const Block& block,
                     const GemmFinish& finish) const;
  void FetchFrontAfter(int64_t panel, const GemmOperands& operands) const;  // of the next panel
  void FetchNextPanel(const GemmOperands& operands, const Block& block, GemmMultiply& g) const;
  const float* ScalesOf(const GemmOperands& operands, int64_t panel) const;  // null: none
  GemmFinish FinishOf(const GemmOperands& operands, const Block& block) const;

  GemmDesc desc_;
  GemmKernel kernel_;
  std::optional<GemmDigitRows> digits_;         // where kernel_ takes digits
  int64_t k_block_ = 0;                         // multiplications between visits to the sums
  int64_t block_rows_ = 0;                      // most rows whose sums are kept at a time
  int64_t parts_ = 1;                           // of the rows: a thread's each, or one of all
  int64_t part_tiles_ = 0;                      // the last part may have fewer
  std::unique_ptr<const OnednnMatmul> onednn_;  // null: our own kernels
};

/// Packs the rows of `parts`, one after the other, as one matrix of layout.n rows. `packed` has
/// layout.bytes(), 64-byte aligned.
void PackWeights(const PackedLayout& layout, std::span<const PackSource> parts, void* packed,
                 int threads);

}  // namespace vernier
