// Whole numbers divided or made multiples, rounded up: n is not negative, the other above 0. Not
// for files of one instruction set, which may not share a function with the others.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vernier {

/// How many times `by` it takes to hold `n`.
constexpr int64_t CeilDiv(int64_t n, int64_t by) { return (n + by - 1) / by; }
constexpr size_t CeilDiv(size_t n, size_t by) { return (n + by - 1) / by; }

/// The least multiple of `step` that is at least `n`.
constexpr int64_t RoundUp(int64_t n, int64_t step) { return CeilDiv(n, step) * step; }
constexpr size_t RoundUp(size_t n, size_t step) { return CeilDiv(n, step) * step; }

}  // namespace vernier
