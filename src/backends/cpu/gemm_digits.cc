#include "backends/cpu/gemm_digits.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/rounding.h"

namespace vernier {
namespace {

// Numbers below which a second thread is not worth waking: a row or two of a decoder.
constexpr int64_t kNumbersOfThread = 16 * 1024;

}  // namespace

GemmDigitRows::GemmDigitRows(const GemmKernel& kernel, int64_t rows, const PackedLayout& layout,
                             int64_t k_block)
    : to_digits_(kernel.to_digits),
      digits_(kernel.digits),
      rows_(rows),
      k_(layout.k),
      stride_(std::max(layout.padded_k(), kDigitsAlignment)),
      k_block_(std::min(k_block, stride_)) {}

int64_t GemmDigitRows::blocks() const { return CeilDiv(stride_, k_block_); }

size_t GemmDigitRows::digits_bytes() const {
  return static_cast<size_t>(rows_ * digits_ * stride_);
}

size_t GemmDigitRows::scales_bytes() const { return static_cast<size_t>(rows_) * sizeof(float); }

size_t GemmDigitRows::bytes() const {
  return digits_bytes() + scales_bytes() +
         static_cast<size_t>(blocks() * rows_ * digits_) * sizeof(int32_t);
}

void GemmDigitRows::Fill(const GemmActivations& a, int threads, void* memory) const {
  auto* digits = static_cast<int8_t*>(memory);
  const GemmDigits all = {
      .rows = rows_,
      .k = k_,
      .a = a.rows,
      .a_stride = a.stride,
      .digits = digits,
      .stride = stride_,
      .scale = reinterpret_cast<float*>(digits + digits_bytes()),
      .k_block = k_block_,
      .starts = reinterpret_cast<int32_t*>(digits + digits_bytes() + scales_bytes()),
      .starts_stride = rows_ * digits_};
  struct Call {
    GemmDigitsFn to_digits;
    const GemmDigits* all;
    int64_t row_bytes, row_digits;
  };
  const Call call = {to_digits_, &all, a.stride * static_cast<int64_t>(ByteSize(a.dtype)), digits_};
  const int64_t grain = std::max<int64_t>(1, kNumbersOfThread / stride_);
  ParallelFor(threads, rows_, grain, [&call](int64_t begin, int64_t end) {
    GemmDigits some = *call.all;
    some.rows = end - begin;
    some.a = static_cast<const char*>(some.a) + begin * call.row_bytes;
    some.digits += begin * call.row_digits * some.stride;
    some.scale += begin;
    some.starts += begin * call.row_digits;
    call.to_digits(some);
  });
}

void GemmDigitRows::Give(const void* memory, int64_t row, int64_t k, GemmMultiply& g) const {
  const auto* digits = static_cast<const int8_t*>(memory);
  g.a = digits + row * digits_ * stride_ + k;
  g.a_stride = stride_;
  g.digits_scale = reinterpret_cast<const float*>(digits + digits_bytes()) + row;
  g.digits_starts = reinterpret_cast<const int32_t*>(digits + digits_bytes() + scales_bytes()) +
                    (k / k_block_ * rows_ + row) * digits_;
}

}  // namespace vernier
