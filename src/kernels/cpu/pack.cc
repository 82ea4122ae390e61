#include "kernels/cpu/pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/float_types.h"
#include "kernels/cpu/gemm_abi.h"
#include "kernels/cpu/transpose_units.h"

namespace vernier {
namespace {

// Elements on each side of the square that is transposed at once: a cache line of f32 sources.
constexpr int64_t kSquare = 16;

// A zero in quads of i8, which are plus 128: turns a weight's upper bit.
constexpr int kQuadsZero = -128;

struct F64 {
  double value;
  float ToF32() const { return static_cast<float>(value); }
};
struct F32 {
  float value;
  float ToF32() const { return value; }
};
struct F16 {
  uint16_t bits;
  float ToF32() const { return FromF16(bits); }
};
struct Bf16 {
  uint16_t bits;
  float ToF32() const { return FromBf16(bits); }
};

void Round(float value, float& to) { to = value; }
void Round(float value, uint16_t& to) { to = ToBf16(value); }

// Element k of a source that need not be aligned.
template <typename From, typename To>
To Converted(const char* source, int64_t k) {
  From value;
  std::memcpy(&value, source + k * static_cast<int64_t>(sizeof(From)), sizeof(From));
  To result;
  Round(value.ToF32(), result);
  return result;
}

// Rows [0, rows) of `from` into columns [column, column + rows) of an f32 panel.
template <typename From>
void PackRows(const PackedLayout& layout, const char* from, int64_t row_bytes, int64_t rows,
              int64_t column, float* panel) {
  const int64_t columns = layout.panel_columns;
  for (int64_t k0 = 0; k0 < layout.padded_k(); k0 += kSquare) {
    const int64_t k_end = std::min(k0 + kSquare, layout.padded_k());
    for (int64_t row = 0; row < rows; ++row) {
      const char* source = from + row * row_bytes;
      for (int64_t k = k0; k < k_end; ++k) {
        panel[k * columns + column + row] = k < layout.k ? Converted<From, float>(source, k) : 0.0f;
      }
    }
  }
}

// The same for a bf16 panel, whose units are pairs of k. A piece of a row is converted in one go,
// which compilers vectorise, then dealt out in whole pairs.
template <typename From>
void PackRows(const PackedLayout& layout, const char* from, int64_t row_bytes, int64_t rows,
              int64_t column, uint16_t* panel) {
  const int64_t pair_row = layout.panel_columns * 2;  // elements from pair to pair
  for (int64_t k0 = 0; k0 < layout.padded_k(); k0 += kSquare) {
    const int64_t real = std::clamp<int64_t>(layout.k - k0, 0, kSquare);
    uint16_t* to = panel + k0 / 2 * pair_row + column * 2;
    for (int64_t row = 0; row < rows; ++row, to += 2) {
      const char* source = from + row * row_bytes + k0 * static_cast<int64_t>(sizeof(From));
      uint16_t piece[kSquare] = {};
      if (real == kSquare) {
        for (int64_t k = 0; k < kSquare; ++k) piece[k] = Converted<From, uint16_t>(source, k);
      } else {
        for (int64_t k = 0; k < real; ++k) piece[k] = Converted<From, uint16_t>(source, k);
      }
      for (int64_t pair = 0; pair < kSquare / 2; ++pair) {
        std::memcpy(to + pair * pair_row, piece + pair * 2, 2 * sizeof(uint16_t));
      }
    }
  }
}

// Neighbouring k of one column.
int64_t I8Unit(const PackedLayout& layout) { return layout.quads ? 4 : 2; }

// Row `source` quantised, a piece at a time as above. Adding and taking away 1.5 · 2^23 rounds to
// nearest even and leaves the integer in the low bits.
template <typename From>
void PackQuantizedRow(const PackedLayout& layout, const char* source, float* scale, int8_t* panel) {
  constexpr float kLargest = 127.0f;
  constexpr float kRound = 12582912.0f;
  float largest = 0;
  for (int64_t k = 0; k < layout.k; ++k) {
    largest = std::max(largest, std::abs(Converted<From, float>(source, k)));
  }
  *scale = largest / kLargest;
  const float factor = largest > 0 ? kLargest / largest : 0;
  for (int64_t k0 = 0; k0 < layout.padded_k(); k0 += kSquare) {
    const int64_t real = std::clamp<int64_t>(layout.k - k0, 0, kSquare);
    int8_t piece[kSquare] = {};
    for (int64_t k = 0; k < real; ++k) {
      // The order of comparisons turns NaN into a bound instead of an overflow.
      const float steps = Converted<From, float>(source, k0 + k) * factor;
      const float bounded = std::min(kLargest, std::max(-kLargest, steps));
      piece[k] = static_cast<int8_t>(static_cast<int32_t>((bounded + kRound) - kRound));
    }
    if (layout.quads) {
      for (int8_t& weight : piece) weight = static_cast<int8_t>(weight ^ kQuadsZero);
    }
    const int64_t unit = I8Unit(layout);
    int8_t* to = panel + k0 * layout.panel_columns;
    for (int64_t k = 0; k < kSquare; k += unit) {
      std::memcpy(to + k * layout.panel_columns, piece + k, static_cast<size_t>(unit));
    }
  }
}

// The same for an i8 panel.
template <typename From>
void PackRows(const PackedLayout& layout, const char* from, int64_t row_bytes, int64_t rows,
              int64_t column, int8_t* panel) {
  auto* scales = reinterpret_cast<float*>(panel);
  int8_t* weights = panel + layout.scale_bytes();
  for (int64_t row = 0; row < rows; ++row) {
    PackQuantizedRow<From>(layout, from + row * row_bytes, scales + column + row,
                           weights + I8Unit(layout) * (column + row));
  }
}

// Rows whose type is the panel's: 4-byte units move as they are, and those of the padding are zero.
void MoveRows(const PackedLayout& layout, const char* from, int64_t row_bytes, int64_t rows,
              int64_t column, char* panel) {
  static const TransposeUnitsKernel transpose = SelectTransposeUnits(Cpu().best());
  constexpr int64_t kUnit = 4;
  const int64_t per_unit = kUnit / static_cast<int64_t>(ByteSize(layout.dtype));
  const int64_t units = layout.k / per_unit, all = layout.padded_k() / per_unit;
  char* to = panel + column * kUnit;
  transpose({.from = from,
             .row_bytes = row_bytes,
             .rows = rows,
             .units = units,
             .to = to,
             .to_stride = layout.panel_columns,
             .next_bytes = rows * row_bytes});
  for (int64_t unit = units; unit < all; ++unit) {
    std::memset(to + unit * layout.panel_columns * kUnit, 0, static_cast<size_t>(rows * kUnit));
  }
}

// Whether the rows of a source are whole units of its panel, as they are.
bool Moves(const PackedLayout& layout, const PackSource& source) {
  if (source.dtype != layout.dtype) return false;
  if (layout.dtype == DType::kF32) return true;
  return layout.dtype == DType::kBF16 && layout.k % 2 == 0 && source.row_stride % 2 == 0;
}

struct Overlap {
  int64_t rows;    // of the source in this panel
  int64_t row;     // first of them in the source
  int64_t column;  // where it goes
};

Overlap OverlapWith(const PackedLayout& layout, int64_t panel, int64_t n, int64_t first) {
  const int64_t panel_begin = panel * layout.panel_columns;
  const int64_t begin = std::max(first, panel_begin);
  const int64_t end = std::min(first + n, panel_begin + layout.panel_columns);
  return {.rows = std::max<int64_t>(0, end - begin),
          .row = begin - first,
          .column = begin - panel_begin};
}

template <typename From>
void PackFrom(const PackedLayout& layout, const PackSource& source, Overlap overlap, char* panel) {
  const int64_t row_bytes = source.row_stride * static_cast<int64_t>(sizeof(From));
  const char* from = static_cast<const char*>(source.data) + overlap.row * row_bytes;
  if (Moves(layout, source)) {
    return MoveRows(layout, from, row_bytes, overlap.rows, overlap.column, panel);
  }
  if (layout.dtype == DType::kF32) {
    PackRows<From>(layout, from, row_bytes, overlap.rows, overlap.column,
                   reinterpret_cast<float*>(panel));
  } else if (layout.dtype == DType::kBF16) {
    PackRows<From>(layout, from, row_bytes, overlap.rows, overlap.column,
                   reinterpret_cast<uint16_t*>(panel));
  } else {
    PackRows<From>(layout, from, row_bytes, overlap.rows, overlap.column,
                   reinterpret_cast<int8_t*>(panel));
  }
}

}  // namespace

size_t PackedLayout::panel_bytes() const {
  return scale_bytes() + static_cast<size_t>(padded_k() * panel_columns) * ByteSize(dtype);
}

const char* PackedLayout::tag() const {
  const bool wide = panel_columns == kWidePanelColumns;
  if (dtype == DType::kF32) return wide ? "BA16a64b" : "BA16a16b";
  if (dtype == DType::kI8) return quads ? "quads64" : wide ? "pairs64" : "pairs16";
  return wide ? "BA16a64b2a" : "BA16a16b2a";
}

PackedLayout PackedLayoutFor(Isa isa, DType dtype, int64_t n, int64_t k) {
  const bool bytes = isa == Isa::kAvx512Bf16 || isa == Isa::kAmx;  // which multiply them
  const bool wide = bytes || isa == Isa::kAvx512;
  return {.dtype = dtype,
          .n = n,
          .k = k,
          .panel_columns = wide ? kWidePanelColumns : kNarrowPanelColumns,
          .quads = bytes && dtype == DType::kI8};
}

void PackPanel(const PackedLayout& layout, int64_t panel, const PackSource& source, int64_t first,
               void* packed) noexcept {
  const Overlap overlap = OverlapWith(layout, panel, source.n, first);
  if (overlap.rows == 0) return;
  char* to = static_cast<char*>(packed) + static_cast<size_t>(panel) * layout.panel_bytes();
  switch (source.dtype) {
    case DType::kF64:
      return PackFrom<F64>(layout, source, overlap, to);
    case DType::kF16:
      return PackFrom<F16>(layout, source, overlap, to);
    case DType::kBF16:
      return PackFrom<Bf16>(layout, source, overlap, to);
    default:
      return PackFrom<F32>(layout, source, overlap, to);
  }
}

void PadPanel(const PackedLayout& layout, int64_t panel, void* packed) noexcept {
  const int64_t used = std::min(layout.panel_columns, layout.n - panel * layout.panel_columns);
  if (used == layout.panel_columns) return;
  // Every `row_bytes` hold all columns of one k (f32), of one pair of k (bf16, i8) or of one quad.
  const int64_t in_row = layout.dtype == DType::kF32 ? 1 : layout.quads ? 4 : 2;
  const auto element_bytes = in_row * static_cast<int64_t>(ByteSize(layout.dtype));
  const int64_t row_bytes = layout.panel_columns * element_bytes;
  char* to = static_cast<char*>(packed) + static_cast<size_t>(panel) * layout.panel_bytes();
  if (layout.dtype == DType::kI8) {
    std::fill(reinterpret_cast<float*>(to) + used,
              reinterpret_cast<float*>(to) + layout.panel_columns, 0.0f);
  }
  for (size_t at = layout.scale_bytes(); at < layout.panel_bytes();
       at += static_cast<size_t>(row_bytes)) {
    std::memset(to + at + used * element_bytes, layout.quads ? kQuadsZero : 0,
                static_cast<size_t>((layout.panel_columns - used) * element_bytes));
  }
}

}  // namespace vernier
