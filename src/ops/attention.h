// Attention, specified once for all families: softmax(q k^T * scale + bias, masked) v per head.
//
// q is [batch, queries, heads*dim] with k and v [batch, keys, kv_heads*dim], or all three are
// packed [tokens, heads*dim] with `segments` (i32 offsets [count + 1], tokens of one segment see
// only each other). Heads are contiguous channel groups; query head h reads kv head h / (heads /
// kv_heads). inputs: q, k, v, bias? [heads or 1, queries, keys], segments?, visible?
//
// KvAppend writes k and v [rows, new_tokens, kv_heads*dim] to a cache state and yields its new
// version; CachedAttention reads keys and values from such a version: inputs q, state. The state's
// type is [rows, capacity, kv_heads*dim] for keys and values each.
#pragma once

#include "graph/op.h"

namespace vernier {

enum class AttentionMask { kNone, kCausal };

struct Attention {
  static constexpr size_t kSegments = 4, kVisible = 5;  // places among the inputs

  int heads;
  int kv_heads;
  double scale;
  AttentionMask mask = AttentionMask::kNone;
};

/// Attention whose queries and keys are rotated first (Rope); made by a pass, not used by models.
/// inputs: q, k, v, cos, sin
struct RotaryAttention {
  Attention attention;
  bool interleaved;
};

struct KvAppend {};

/// Query i of n new tokens sees the keys up to its own, length - n + i, when causal.
struct CachedAttention {
  int heads;
  int kv_heads;
  double scale;
  AttentionMask mask = AttentionMask::kCausal;
};

extern const OpDef kAttention;
extern const OpDef kRotaryAttention;
extern const OpDef kKvAppend;
extern const OpDef kCachedAttention;

/// Keys or values as the paged cache stores them; what a kernel sees of a State.
struct KvView {
  static constexpr int64_t kBlockTokens = 64;

  float* keys = nullptr;    // [blocks][kBlockTokens][kv_heads*dim]
  float* values = nullptr;  // the same
  int64_t width = 0;        // kv_heads*dim
  int64_t rows = 0;
  int64_t blocks_per_row = 0;
  const int32_t* block_table = nullptr;  // [rows][blocks_per_row]
  int64_t* lengths = nullptr;            // [rows], tokens stored

  float* Key(int64_t row, int64_t token) const { return keys + Offset(row, token); }
  float* ValueAt(int64_t row, int64_t token) const { return values + Offset(row, token); }

 private:
  int64_t Offset(int64_t row, int64_t token) const {
    const int64_t block = block_table[row * blocks_per_row + token / kBlockTokens];
    return (block * kBlockTokens + token % kBlockTokens) * width;
  }
};

}  // namespace vernier
