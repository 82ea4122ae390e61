// Attention, specified once for all families: softmax(q k^T * scale + bias, masked) v per head.
//
// q is [batch, queries, heads*dim] with k and v [batch, keys, kv_heads*dim], or all three are
// packed [tokens, heads*dim] with `segments` (i32 offsets [count + 1], tokens of one segment see
// only each other). Heads are contiguous channel groups; query head h reads kv head h / (heads /
// kv_heads). inputs: q, k, v, bias? [heads or 1, queries, keys], segments?, visible?
//
// KvAppend writes k and v [rows, new_tokens, kv_heads*dim] to a cache state and yields its new
// version; CachedAttention reads keys and values from such a version: inputs q, state,
// bias? [heads, capacity], slots? The state's type is [rows, capacity, kv_heads*dim] for keys and
// values each. The bias is by distance: entry d is added to the score of the key d tokens before
// the query's own. With slots (i32, one per row of q) row i reads the state's row slots[i], so that
// many sequences share one picture's keys; without them, row i reads row i.
//
// DistanceBias makes such a bias from T5's table [buckets, heads]: a bucket for each near distance,
// then ever wider ones up to max_distance (Raffel et al. 2020, one-sided). Result: [heads,
// capacity].
#pragma once

#include "graph/op.h"
#include "ops/kv_view.h"

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
/// inputs: q, k, v, cos, sin, segments? (with packed q, k and v)
struct RotaryAttention {
  static constexpr size_t kSegments = 5;  // place among the inputs

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

struct DistanceBias {
  int64_t max_distance;
  Dim capacity;
};

extern const OpDef kAttention;
extern const OpDef kRotaryAttention;
extern const OpDef kKvAppend;
extern const OpDef kCachedAttention;
extern const OpDef kDistanceBias;

/// The state that a value is a version of (what an append yields is its next one); kNoValue for a
/// value that is none.
int StateBehind(const Graph& graph, int value);

}  // namespace vernier
