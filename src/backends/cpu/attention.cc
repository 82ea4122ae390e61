#include "backends/cpu/attention.h"

#include <algorithm>
#include <atomic>

#include "core/cancel.h"
#include "core/check.h"
#include "core/parallel.h"
#include "core/rounding.h"

namespace vernier {
namespace {

constexpr int64_t kLine = 64;

char* Align(void* at) {
  return reinterpret_cast<char*>(RoundUp(reinterpret_cast<intptr_t>(at), kLine));
}

const void* At(const void* base, Element element, int64_t offset) {
  return static_cast<const char*>(base) + offset * ElementBytes(element);
}

/// How the work is cut: per batch entry and key-value head, `tiles` tiles for each query head of
/// its group. A worker takes neighbouring tiles and packs a head's keys and values for itself when
/// it first meets that head: packing costs a few row reads per key, sharing would cost a barrier
/// and the cache.
class Work {
 public:
  Work(Isa isa, const AttentionArgs& args)
      : args_(args), kernels_(SelectAttention(isa, args.q.element)) {
    steps_ = CeilDiv(args.query_len, kernels_.row_step);
    tiles_ = CeilDiv(steps_, kernels_.tile_rows / kernels_.row_step);
    packed_bytes_ = RoundUp(kernels_.packed_bytes(args.kv_len, args.head_dim), kLine);
    worker_bytes_ = packed_bytes_ + RoundUp(kernels_.scratch_bytes(args.head_dim), kLine);
  }

  int64_t tiles() const { return args_.batch * args_.heads * tiles_; }
  int64_t worker_bytes() const { return worker_bytes_; }

  /// Tiles [first, last) in the order batch, head, query.
  void Run(int64_t first, int64_t last, char* scratch) const {
    const int64_t group = args_.heads / args_.kv_heads;
    int64_t packed_head = -1;
    for (int64_t at = first; at < last; ++at) {
      if (IsSet(args_.cancel)) return;
      const int64_t head = at / tiles_ % args_.heads;
      const int64_t batch = at / tiles_ / args_.heads;
      const int64_t kv_head = head / group;
      if (batch * args_.kv_heads + kv_head != packed_head) {
        packed_head = batch * args_.kv_heads + kv_head;
        Pack(batch, kv_head, scratch);
      }
      RunTile(batch, head, at % tiles_, scratch);
    }
  }

 private:
  AttentionRows Rows(const AttentionOperand& operand, const KvBlocks& blocks, int64_t batch,
                     int64_t head) const {
    const int64_t column = head * args_.head_dim;
    if (blocks.table == nullptr) {
      return {.base = At(operand.data, operand.element, batch * operand.batch_stride + column),
              .element = operand.element,
              .stride = operand.token_stride};
    }
    const int64_t at = blocks.head_stride == 0 ? column : head * blocks.head_stride;
    return {.base = At(operand.data, operand.element, at),
            .element = operand.element,
            .stride = operand.token_stride,
            .blocks = blocks.table + batch * blocks.table_stride,
            .block_stride = blocks.block_stride};
  }

  int64_t KvLen(int64_t batch) const {
    return args_.kv_lens == nullptr ? args_.kv_len : args_.kv_lens[batch];
  }

  void Pack(int64_t batch, int64_t kv_head, char* scratch) const {
    kernels_.pack({.keys = Rows(args_.k, args_.k_blocks, batch, kv_head),
                   .values = Rows(args_.v, args_.v_blocks, batch, kv_head),
                   .kv_len = KvLen(batch),
                   .head_dim = args_.head_dim,
                   .rotary = args_.k_rotary,
                   .packed = scratch});
  }

  /// Tiles differ by one step at most, so that none is left with few rows.
  int64_t FirstQuery(int64_t tile) const {
    return std::min(args_.query_len, steps_ * tile / tiles_ * kernels_.row_step);
  }

  void RunTile(int64_t batch, int64_t head, int64_t tile, char* scratch) const {
    const int64_t first_query = FirstQuery(tile);
    AttentionRows queries = Rows(args_.q, {}, batch, head);
    queries.base = At(queries.base, queries.element, first_query * queries.stride);
    const float* bias = args_.bias;
    if (bias != nullptr) {
      bias += batch * args_.bias_batch_stride + head * args_.bias_head_stride +
              first_query * args_.bias_query_stride;
    }
    const int64_t out_at = batch * args_.out_batch_stride + first_query * args_.out_token_stride +
                           head * args_.head_dim;
    kernels_.tile({.queries = queries,
                   .rotary = args_.q_rotary.From(first_query),
                   .rows = FirstQuery(tile + 1) - first_query,
                   .first_query = first_query,
                   .query_len = args_.query_len,
                   .kv_len = KvLen(batch),
                   .head_dim = args_.head_dim,
                   .scale = args_.scale,
                   .causal = args_.causal,
                   .bias = bias,
                   .bias_stride = args_.bias_query_stride,
                   .packed = scratch,
                   .scratch = scratch + packed_bytes_,
                   .out = const_cast<void*>(At(args_.out, args_.out_element, out_at)),
                   .out_element = args_.out_element,
                   .out_stride = args_.out_token_stride});
  }

  const AttentionArgs& args_;
  const AttentionKernels& kernels_;
  int64_t steps_ = 0;  // of row_step queries of one head
  int64_t tiles_ = 0;  // of one head
  int64_t packed_bytes_ = 0;
  int64_t worker_bytes_ = 0;
};

}  // namespace

int64_t AttentionScratchBytes(Isa isa, int threads, const AttentionArgs& args) {
  return threads * Work(isa, args).worker_bytes() + kLine;
}

void RunAttention(Isa isa, int threads, const AttentionArgs& args, void* scratch) {
  VN_CHECK(args.head_dim >= 1 && args.head_dim <= kMaxHeadDim);
  VN_CHECK(args.kv_heads >= 1 && args.heads % args.kv_heads == 0);
  VN_CHECK(args.scale > 0.0f);
  VN_CHECK(args.head_dim % 2 == 0 ||
           (args.q_rotary.cos == nullptr && args.k_rotary.cos == nullptr));
  const Work work(isa, args);
  const int64_t tiles = work.tiles();
  char* const base = Align(scratch);
  std::atomic<int> next_worker = 0;
  ParallelFor(threads, tiles, 1, [&](int64_t first, int64_t last) {
    const int worker = next_worker.fetch_add(1, std::memory_order_relaxed);
    work.Run(first, last, base + worker * work.worker_bytes());
  });
}

}  // namespace vernier
