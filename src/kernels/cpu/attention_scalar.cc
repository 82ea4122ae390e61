// Attention in plain C++: the contract of the other versions. Packed: keys, then values, as fp32
// rows [key, head_dim]. One pass over the keys per query, with a running maximum.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/float_types.h"
#include "kernels/cpu/attention.h"

namespace vernier {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

int64_t PackedBytes(int64_t kv_len, int64_t head_dim) { return 2 * kv_len * head_dim * 4; }
int64_t ScratchBytes(int64_t) { return 0; }

int64_t RowStart(const AttentionRows& rows, int64_t row) {
  if (rows.blocks == nullptr) return row * rows.stride;
  return rows.blocks[row / kTokensPerKvBlock] * rows.block_stride +
         row % kTokensPerKvBlock * rows.stride;
}

void ReadRow(const AttentionRows& rows, int64_t row, int64_t head_dim, const RotaryTable& table,
             float* to) {
  const int64_t start = RowStart(rows, row);
  for (int64_t i = 0; i < head_dim; ++i) {
    to[i] = rows.element == Element::kF32
                ? static_cast<const float*>(rows.base)[start + i]
                : FromBf16(static_cast<const uint16_t*>(rows.base)[start + i]);
  }
  if (table.cos == nullptr) return;
  RotaryTable here = table;
  here.cos += row * table.stride;
  here.sin += row * table.stride;
  scalar::Rotary(
      {.tokens = 1, .heads = 1, .head_dim = head_dim, .table = here, .in = to, .out = to});
}

void Pack(const AttentionPack& pack) noexcept {
  float* keys = static_cast<float*>(pack.packed);
  float* values = keys + pack.kv_len * pack.head_dim;
  for (int64_t key = 0; key < pack.kv_len; ++key) {
    ReadRow(pack.keys, key, pack.head_dim, pack.rotary, keys + key * pack.head_dim);
    ReadRow(pack.values, key, pack.head_dim, {}, values + key * pack.head_dim);
  }
}

/// Unnormalised output in `out`; returns the sum of the probabilities.
float MixValues(const AttentionTile& tile, int64_t row, const float* q, float* out) {
  const float* keys = static_cast<const float*>(tile.packed);
  const float* values = keys + tile.kv_len * tile.head_dim;
  int64_t visible = tile.kv_len;
  if (tile.causal) {
    visible = std::min(visible, tile.first_query + row + 1 + tile.kv_len - tile.query_len);
  }
  float largest = kMinusInfinity, sum = 0.0f;
  for (int64_t key = 0; key < visible; ++key) {
    float score = 0.0f;
    for (int64_t i = 0; i < tile.head_dim; ++i) score += q[i] * keys[key * tile.head_dim + i];
    score *= tile.scale;
    if (tile.bias != nullptr) score += tile.bias[row * tile.bias_stride + key];
    const float before = largest;
    largest = std::max(largest, score);
    const float finite = largest == kMinusInfinity ? 0.0f : largest;
    const float keep = std::exp(before - finite), p = std::exp(score - finite);
    sum = sum * keep + p;
    const float* value = values + key * tile.head_dim;
    for (int64_t i = 0; i < tile.head_dim; ++i) out[i] = out[i] * keep + p * value[i];
  }
  return sum;
}

void Tile(const AttentionTile& tile) noexcept {
  for (int64_t row = 0; row < tile.rows; ++row) {
    float q[kMaxHeadDim], out[kMaxHeadDim] = {};
    ReadRow(tile.queries, row, tile.head_dim, tile.rotary, q);
    const float sum = MixValues(tile, row, q, out);
    for (int64_t i = 0; i < tile.head_dim; ++i) {
      const float value = sum == 0.0f ? 0.0f : out[i] / sum;
      const int64_t at = row * tile.out_stride + i;
      if (tile.out_element == Element::kF32) {
        static_cast<float*>(tile.out)[at] = value;
      } else {
        static_cast<uint16_t*>(tile.out)[at] = ToBf16(value);
      }
    }
  }
}

}  // namespace

namespace scalar {
const AttentionKernels kAttention = {"scalar", 32, 1, PackedBytes, ScratchBytes, Pack, Tile};
}  // namespace scalar

}  // namespace vernier
