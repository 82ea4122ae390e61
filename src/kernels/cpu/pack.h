// The packed format of weight matrices. A checkpoint stores weights [n, k] (out, in) by rows;
// packed they lie in panels of P columns n, each panel running through k:
//   f32:   panel[n / P], [k], [n % P]              k padded to 16    oneDNN's "BA16a<P>b"
//   bf16:  panel[n / P], [k / 2], [n % P], [k % 2]  k padded to 32    oneDNN's "BA16a<P>b2a"
//   i8:    panel[n / P] of P fp32 scales, then [k / 2], [n % P], [k % 2]    k padded to 32
//   the same in quads, plus 128, as instructions multiply bytes: P fp32 scales, then [k / 4],
//          [n % P], [k % 4]    k padded to 64
// Padding is zero (in quads 128). An i8 weight is round(w · 127 / m) to nearest even, m being the
// largest |w| of its row (output channel), whose scale m / 127 multiplies the row's sums. The float
// bytes equal oneDNN's blocked layout of a [k, n] matrix under that tag, so that both providers
// read the same copy. Pure functions, no threads, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu_features.h"
#include "core/rounding.h"
#include "vernier/tensor.h"

namespace vernier {

struct PackedLayout {
  DType dtype = DType::kF32;  // f32, bf16 or i8
  int64_t n = 0;              // columns of all parts together
  int64_t k = 0;
  int64_t panel_columns = 0;
  bool quads = false;  // i8 weights, plus 128, in quads of k

  /// Multiplications that one step of the format holds; k may be cut at multiples of it.
  int64_t k_step() const { return dtype == DType::kF32 ? 16 : quads ? 64 : 32; }
  int64_t padded_k() const { return RoundUp(k, k_step()); }
  int64_t panels() const { return CeilDiv(n, panel_columns); }
  /// Bytes before a panel's weights: its scales.
  size_t scale_bytes() const {
    return dtype == DType::kI8 ? static_cast<size_t>(panel_columns) * sizeof(float) : 0;
  }
  size_t panel_bytes() const;
  size_t bytes() const { return static_cast<size_t>(panels()) * panel_bytes(); }
  /// A name for the layout, of floats oneDNN's: "BA16a64b".
  const char* tag() const;
};

/// The layout that kernels of `isa` read. Memory for it must be 64-byte aligned.
PackedLayout PackedLayoutFor(Isa isa, DType dtype, int64_t n, int64_t k);

/// Rows of a weight matrix as the checkpoint holds them; `data` needs no alignment.
struct PackSource {
  const void* data = nullptr;
  DType dtype = DType::kF32;  // f64, f32, f16 or bf16
  int64_t n = 0;
  int64_t row_stride = 0;  // elements from row to row
};

/// Packs rows [first, first + source.n) of the whole matrix from `source`, as far as they fall into
/// panel `panel`, into that panel's memory. Converts with rounding to nearest even. Of the padding
/// it writes that of k under its own columns; PadPanel writes the rest.
void PackPanel(const PackedLayout& layout, int64_t panel, const PackSource& source, int64_t first,
               void* packed) noexcept;

/// Zeroes the columns of `panel` from n on.
void PadPanel(const PackedLayout& layout, int64_t panel, void* packed) noexcept;

}  // namespace vernier
