// KvView: a paged key-value cache as kernels see it: blocks of 64 tokens and, for each row, a table
// of the blocks that hold its tokens in order, so that rows share blocks and grow without moving.
// Inside a block a head's tokens are contiguous, which is how attention reads them. Borrowed
// memory.
#pragma once

#include <cstdint>

#include "vernier/tensor.h"

namespace vernier {

struct KvView {
  static constexpr int64_t kBlockTokens = 64;

  void* keys = nullptr;       // [blocks][kv_heads][kBlockTokens][head_dim]
  void* values = nullptr;     // the same
  DType dtype = DType::kF32;  // f32 or bf16
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t rows = 0;
  int64_t blocks_per_row = 0;
  const int32_t* block_table = nullptr;  // [rows][blocks_per_row]
  int64_t* lengths = nullptr;            // [rows], tokens stored

  int64_t width() const { return kv_heads * head_dim; }
  int64_t capacity() const { return blocks_per_row * kBlockTokens; }

  /// Elements from the base of keys, or of values, to a head of a token.
  int64_t Offset(int64_t row, int64_t head, int64_t token) const {
    const int64_t block = block_table[row * blocks_per_row + token / kBlockTokens];
    return ((block * kv_heads + head) * kBlockTokens + token % kBlockTokens) * head_dim;
  }
};

}  // namespace vernier
