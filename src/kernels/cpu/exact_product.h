// The inner loop of the reference's matrix products, in fp64: one tile of sums, every sum one chain
// of additions in the order of k, so that all versions give the scalar one's bits. Packed operands:
// a[k][rows], w[k][columns]. Pure, noexcept, no threads.
// Bound: fp64 multiply-adds; 8 × 24 sums take 24 of them for 11 loads per k (AVX-512).
#pragma once

#include <cstdint>

namespace vernier {

enum class Isa;

struct ExactTile {
  int64_t k = 0;
  const double* a = nullptr;  // [k, rows]
  const double* w = nullptr;  // [k, columns]
  double* sums = nullptr;     // [rows, columns], written
};

using ExactTileFn = void (*)(const ExactTile&) noexcept;

struct ExactProduct {
  int64_t rows = 0;  // of a tile
  int64_t columns = 0;
  /// For factors that were f32: their product is exact in fp64, so that a fused multiply-add and a
  /// multiplication with an addition after it are the same.
  ExactTileFn multiply_f32 = nullptr;
  /// For any fp64 factors: each product is rounded before it is added.
  ExactTileFn multiply_f64 = nullptr;
};

/// The version for this set of instructions.
const ExactProduct& SelectExactProduct(Isa isa);

// At most these, for callers that hold a tile on the stack.
constexpr int64_t kExactTileRows = 8;
constexpr int64_t kExactTileColumns = 24;

namespace scalar {
extern const ExactProduct kExactProduct;
}
namespace avx2 {
extern const ExactProduct kExactProduct;
}
namespace avx512 {
extern const ExactProduct kExactProduct;
}

}  // namespace vernier
