// Packed matrix multiplication by i8 weights, AMX-TILE and AMX-INT8. Rows come as digits
// (gemm_abi.h), weights in quads of k: a tile of weights is 16 quads of k by 16 columns, as it lies
// in the panel. Blocks are those of gemm_amx.cc, of digits in place of rows. All sums are exact, so
// that few rows, which memory binds, may be left to AVX-512 and get the same bits. Bound: one
// tdpbsud per 16 cycles (not measured yet).
#include <immintrin.h>

#include "kernels/cpu/tiles_amx.h"

namespace vernier::amx {
namespace {

constexpr int64_t kQuadsOfTile = 16;  // of k, 64 bytes of a row of digits

struct DotOfDigits {
  static void AddUpper() {
    _tile_dpbsud(0, 4, 6);
    _tile_dpbsud(1, 4, 7);
  }
  static void AddLower() {
    _tile_dpbsud(2, 5, 6);
    _tile_dpbsud(3, 5, 7);
  }
};

// Half a panel for up to 32 rows of digits.
template <bool kLower>
void HalfPanelOfDigits(int64_t k, TileRows a, const char* weights, int32_t* sums) {
  ZeroSums<kLower>();
  for (int64_t at = 0; at < k; at += kTileBytes) {
    AddProducts<DotOfDigits, kLower>({static_cast<const char*>(a.first) + at, a.stride}, weights);
    weights += kQuadsOfTile * kPanelRowBytes;
  }
  StoreSums<kLower>(sums);
}

template <int kDigits>
void Multiply(const GemmMultiply& g) {
  constexpr int64_t kRows = kBlockRows / kDigits;
  constexpr auto kStore =
      kDigits == 3 ? avx512_bf16::StoreThreeDigits : avx512_bf16::StoreTwoDigits;
  alignas(64) int32_t sums[kBlockRows * kWidePanelColumns];
  int64_t configured = 0;
  for (int64_t row = 0; row < g.rows; row += kRows) {
    const int64_t rows = g.rows - row < kRows ? g.rows - row : kRows;
    if (rows != configured) Configure(rows * kDigits);
    configured = rows;
    const TileRows a = {static_cast<const int8_t*>(g.a) + row * kDigits * g.a_stride, g.a_stride};
    for (int64_t column = 0; column < kWidePanelColumns; column += 2 * kTileColumns) {
      const auto* weights = static_cast<const char*>(g.b) + column * 4;
      if (rows * kDigits > kTileRows) {
        HalfPanelOfDigits<true>(g.k, a, weights, sums + column);
      } else {
        HalfPanelOfDigits<false>(g.k, a, weights, sums + column);
      }
    }
    kStore(g, row, rows, sums);
  }
  FetchNext(g);
  if (g.rows > 0) _tile_release();
}

// Rows that the weights' way from memory leaves time for without tiles.
constexpr int64_t kFewRows = 3;

}  // namespace

void MultiplyThreeDigitsI8(const GemmMultiply& g) noexcept {
  if (g.rows <= kFewRows) return avx512_bf16::MultiplyThreeDigitsI8(g);
  Multiply<3>(g);
}

void MultiplyTwoDigitsI8(const GemmMultiply& g) noexcept {
  if (g.rows <= kFewRows) return avx512_bf16::MultiplyTwoDigitsI8(g);
  Multiply<2>(g);
}

}  // namespace vernier::amx
