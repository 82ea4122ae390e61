// What a packed matrix multiplication kernel is given: plain pointers and sizes, nothing else, so
// that instruction-set files can include it. y[m, n] = sum over k of a[m, k] * w[n, k], then
// y = act(y + bias + addend) * scale + residual. Kernels are pure, noexcept, know no threads and
// trust their caller. Both steps handle one panel: `kPanelColumns` neighbouring columns of the
// packed weights.
#pragma once

#include <cstdint>

namespace vernier {

enum class Activation : uint8_t { kNone, kGeluErf, kGeluTanh, kQuickGelu, kRelu, kTanh, kSilu };

/// Columns of a packed panel by class of instruction set (pack.h has the whole layout).
constexpr int64_t kWidePanelColumns = 64;    // four 16-lane registers: AVX-512 and AMX
constexpr int64_t kNarrowPanelColumns = 16;  // two 8-lane or four 4-lane ones: scalar, AVX2, NEON

/// Rows of memory that will be read or written soon, as bytes.
struct GemmRows {
  const void* first = nullptr;  // null: none
  int64_t stride = 0;
  int64_t bytes = 0;  // of each row
};

/// Activations for instructions that multiply bytes, in whole numbers that take up to three of
/// them:
///   a[row, k] ~ scale[row] * sum over i of digits[row, i, k] * 256^(digits - 1 - i),
/// each digit in -128...127, within half a step of scale[row], which is the row's largest size by
/// 32638 (two digits) or 8355710 (three). Sums of their products with i8 weights are exact, in any
/// order, after Ootomo, Ozaki and Yokota, "DGEMM on Integer Matrix Multiplication Unit" (2024).
/// A row that holds NaN or infinity has NaN for its scale, and zeros.
struct GemmDigits {
  int64_t rows = 0;
  int64_t k = 0;
  const void* a = nullptr;   // [rows, k], f32 or bf16
  int64_t a_stride = 0;      // elements from row to row
  int8_t* digits = nullptr;  // [rows, digits, stride], zeros behind k
  int64_t stride = 0;        // at least 1, a multiple of kDigitsAlignment
  float* scale = nullptr;    // [rows]
  int64_t k_block = 0;       // multiplications of one call: a multiple of kDigitsAlignment
  // -128 times the sums of digits, because an i8 weight w is kept as w + 128.
  int32_t* starts = nullptr;  // [blocks of k, rows, digits]
  int64_t starts_stride = 0;  // from block to block
};
constexpr int64_t kDigitsAlignment = 64;

/// First step: sums[row, column] (+)= sum over k of a[row, k] * b[k, column], one panel.
/// Every sum is one chain of additions in the order of k, whatever the number of rows, so that a
/// row's result depends neither on its neighbours nor on how k is cut into calls (cut k in whole
/// packing steps).
struct GemmMultiply {
  int64_t rows = 0;
  int64_t k = 0;
  const void* a = nullptr;  // [rows, k]
  int64_t a_stride = 0;     // elements from row to row
  const void* b = nullptr;  // the panel at the first k of this call
  float* sums = nullptr;    // [rows, panel columns]
  bool accumulate = false;  // add to what `sums` holds
  int64_t columns = 0;  // that are wanted, the first of the panel; 0: all. Others may be summed.

  // Where `a` holds digits, [rows * digits, k] with a_stride from digit to digit: GemmDigits's.
  const float* digits_scale = nullptr;     // [rows]
  const int32_t* digits_starts = nullptr;  // [rows, digits] of these k

  // What the caller needs afterwards, for kernels that fetch it into the caches meanwhile.
  const void* next = nullptr;  // the next panel, or part of it
  int64_t next_bytes = 0;
  int64_t next_rows = 0;   // rows of `a` behind these, to be multiplied next
  GemmRows results = {};   // `rows` rows that the second step writes
  GemmRows residual = {};  // and reads: the residual or the addend
};

/// Second step: c = act(sums * weight_scale + bias + addend) * scale + residual over the first
/// `columns` of a panel. Gated: c = act(first half of the panel) * second half, and nothing else.
struct GemmFinish {
  int64_t rows = 0;
  int64_t columns = 0;                  // at most the panel's, gated at most its half
  const float* sums = nullptr;          // [rows, panel columns]
  const float* weight_scale = nullptr;  // [panel columns], multiplies the sums; null: none
  const float* bias = nullptr;          // [columns]; null: none
  const void* addend = nullptr;         // [rows, columns], f32 or bf16; null: none; may be c itself
  int64_t addend_stride = 0;
  bool addend_bf16 = false;
  Activation activation = Activation::kNone;
  const float* scale = nullptr;     // [columns]; null: none
  const float* residual = nullptr;  // [rows, columns]; null: none; may be c itself
  int64_t residual_stride = 0;
  void* c = nullptr;
  int64_t c_stride = 0;
  bool gated = false;
  bool c_bf16 = false;  // round to nearest even
};

/// A panel of i8 weights, k of them, in fp32; exact.
struct GemmWiden {
  const int8_t* from = nullptr;
  int64_t k = 0;       // even
  void* to = nullptr;  // aligned to 64 bytes
};

using GemmMultiplyFn = void (*)(const GemmMultiply&) noexcept;
using GemmWidenFn = void (*)(const GemmWiden&) noexcept;
using GemmDigitsFn = void (*)(const GemmDigits&) noexcept;
using GemmFinishFn = void (*)(const GemmFinish&) noexcept;

// Names say the types of a and b; narrower weights are widened in registers. i8 weights enter as
// the integers that they are, which bf16 holds too.
// The scalar ones are the contract.
namespace scalar {
void MultiplyF32F32(const GemmMultiply&) noexcept;
void MultiplyF32Bf16(const GemmMultiply&) noexcept;
void MultiplyBf16Bf16(const GemmMultiply&) noexcept;
void MultiplyF32I8(const GemmMultiply&) noexcept;
void MultiplyBf16I8(const GemmMultiply&) noexcept;
void Finish(const GemmFinish&) noexcept;
}  // namespace scalar

namespace avx2 {
void MultiplyF32F32(const GemmMultiply&) noexcept;
void MultiplyF32Bf16(const GemmMultiply&) noexcept;
void MultiplyBf16Bf16(const GemmMultiply&) noexcept;
void MultiplyF32I8(const GemmMultiply&) noexcept;
void MultiplyBf16I8(const GemmMultiply&) noexcept;
void Finish(const GemmFinish&) noexcept;
}  // namespace avx2

namespace avx512 {
void MultiplyF32F32(const GemmMultiply&) noexcept;
void MultiplyF32Bf16(const GemmMultiply&) noexcept;
void MultiplyBf16Bf16(const GemmMultiply&) noexcept;
void MultiplyF32I8(const GemmMultiply&) noexcept;
void MultiplyBf16I8(const GemmMultiply&) noexcept;
void WidenToF32(const GemmWiden&) noexcept;
void Finish(const GemmFinish&) noexcept;
}  // namespace avx512

namespace avx512_bf16 {
void MultiplyBf16Bf16(const GemmMultiply&) noexcept;
void DigitsOfF32(const GemmDigits&) noexcept;   // three
void DigitsOfBf16(const GemmDigits&) noexcept;  // two
void MultiplyThreeDigitsI8(const GemmMultiply&) noexcept;
void MultiplyTwoDigitsI8(const GemmMultiply&) noexcept;
/// The last step of these two for `rows` rows: `sums` of digits, [rows * digits, panel columns],
/// into g's sums of rows from first_row on.
void StoreThreeDigits(const GemmMultiply& g, int64_t first_row, int64_t rows,
                      const int32_t* sums) noexcept;
void StoreTwoDigits(const GemmMultiply& g, int64_t first_row, int64_t rows,
                    const int32_t* sums) noexcept;
void FinishToBf16(const GemmFinish&) noexcept;  // for c_bf16; activations as exact as that needs
}  // namespace avx512_bf16

namespace amx {
void MultiplyBf16Bf16(const GemmMultiply&) noexcept;
void MultiplyThreeDigitsI8(const GemmMultiply&) noexcept;
void MultiplyTwoDigitsI8(const GemmMultiply&) noexcept;
}  // namespace amx

namespace neon {
void MultiplyF32F32(const GemmMultiply&) noexcept;
void MultiplyF32Bf16(const GemmMultiply&) noexcept;
void MultiplyBf16Bf16(const GemmMultiply&) noexcept;
void MultiplyF32I8(const GemmMultiply&) noexcept;
void MultiplyBf16I8(const GemmMultiply&) noexcept;
void Finish(const GemmFinish&) noexcept;
}  // namespace neon

}  // namespace vernier
