// Attention of whole batches on threads: deals the query tiles of all batch entries and heads out
// to the workers. Results do not depend on the number of threads. `scratch` belongs to one run at a
// time; nothing is allocated.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/cpu_features.h"
#include "kernels/cpu/attention.h"

namespace vernier {

/// [batch, tokens, heads * head_dim], possibly columns of a wider tensor. Strides count elements.
struct AttentionOperand {
  const void* data = nullptr;
  Element element = Element::kF32;
  int64_t token_stride = 0;
  int64_t batch_stride = 0;
};

/// Keys or values in blocks of kTokensPerKvBlock tokens: token t of batch entry b is row t % 64 of
/// block table[b * table_stride + t / 64]. A null table: the operand's plain rows.
struct KvBlocks {
  const int32_t* table = nullptr;
  int64_t table_stride = 0;
  int64_t block_stride = 0;  // elements from block to block
  int64_t head_stride = 0;   // elements from head to head; 0: heads are columns
};

struct AttentionArgs {
  int64_t batch = 1;
  int64_t query_len = 0;
  int64_t kv_len = 0;
  const int64_t* kv_lens = nullptr;  // keys of each batch entry, at most kv_len; null: all kv_len
  int64_t heads = 1;
  int64_t kv_heads = 1;  // divides `heads`; neighbouring query heads share one
  int64_t head_dim = 0;  // 1 to kMaxHeadDim
  float scale = 1.0f;    // positive
  bool causal = false;   // query i sees the keys up to i + (kv_len - query_len)
  AttentionOperand q = {};
  AttentionOperand k = {};
  AttentionOperand v = {};
  KvBlocks k_blocks = {};
  KvBlocks v_blocks = {};
  RotaryTable q_rotary = {};      // by query, the same for all batch entries
  RotaryTable k_rotary = {};      // by key
  const float* bias = nullptr;    // [heads, query_len, kv_len], added to the scaled scores
  int64_t bias_head_stride = 0;   // 0: one table for all heads
  int64_t bias_batch_stride = 0;  // 0: one table for all batch entries
  int64_t bias_query_stride = 0;
  void* out = nullptr;
  Element out_element = Element::kF32;
  int64_t out_token_stride = 0;
  int64_t out_batch_stride = 0;
  const std::atomic<bool>* cancel = nullptr;  // set: the tiles that are left are left out
};

/// Bytes of scratch that RunAttention needs, on any alignment.
int64_t AttentionScratchBytes(Isa isa, int threads, const AttentionArgs& args);

void RunAttention(Isa isa, int threads, const AttentionArgs& args, void* scratch);

}  // namespace vernier
