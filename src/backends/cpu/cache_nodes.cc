// KvAppend and CachedAttention on the CPU. One token's attention is bound by the bytes of the
// cache: key-value heads are dealt out to the threads, and a head's blocks are read once for all
// queries that share them, whatever the number of sequences. A prompt's is bound by its products
// and runs in tiles of queries, as attention without a cache does.
#include <algorithm>
#include <cstring>
#include <functional>

#include "backends/cpu/attention.h"
#include "backends/cpu/nodes.h"
#include "core/check.h"
#include "core/float_types.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "kernels/cpu/cached_attention.h"
#include "ops/attention.h"

namespace vernier {
namespace {

KvView& CacheOf(const TensorArg& arg) { return *static_cast<KvView*>(arg.data); }

void CopyRow(const TensorArg& from, int64_t row, int64_t column, int64_t count, DType dtype,
             void* base, int64_t offset) {
  if (from.dtype == dtype) {
    const size_t bytes = ByteSize(dtype);
    const auto* source = static_cast<const char*>(from.data) +
                         static_cast<size_t>(row * from.row_stride + column) * bytes;
    std::memcpy(static_cast<char*>(base) + static_cast<size_t>(offset) * bytes, source,
                static_cast<size_t>(count) * bytes);
  } else if (dtype == DType::kBF16) {
    const float* source = from.row<float>(row) + column;
    std::transform(source, source + count, static_cast<uint16_t*>(base) + offset, ToBf16);
  } else {
    const uint16_t* source = from.row<uint16_t>(row) + column;
    std::transform(source, source + count, static_cast<float*>(base) + offset, FromBf16);
  }
}

class KvAppendKernel final : public Kernel {
 public:
  void Run(const RunArgs& args) const override {
    constexpr int64_t kGrain = 64;  // tokens: some microseconds of copying
    KvView& cache = CacheOf(args.inputs[0]);
    const TensorArg &k = args.inputs[1], &v = args.inputs[2];
    const int64_t rows = k.shape[0], tokens = k.shape[1], dim = cache.head_dim;
    VN_CHECK(rows <= cache.rows && k.columns() == cache.width(), "keys for another cache");
    for (int64_t row = 0; row < rows; ++row) {
      VN_CHECK(cache.lengths[row] + tokens <= cache.capacity(), "the key-value cache is full");
    }
    const auto append = [&](int64_t begin, int64_t end) {
      for (int64_t index = begin; index < end; ++index) {
        const int64_t row = index / tokens;
        const int64_t token = cache.lengths[row] + index % tokens;
        for (int64_t head = 0; head < cache.kv_heads; ++head) {
          const int64_t to = cache.Offset(row, head, token);
          CopyRow(k, index, head * dim, dim, cache.dtype, cache.keys, to);
          CopyRow(v, index, head * dim, dim, cache.dtype, cache.values, to);
        }
      }
    };
    ParallelFor(args.threads, rows * tokens, kGrain, std::ref(append));  // nothing is allocated
    for (int64_t row = 0; row < rows; ++row) cache.lengths[row] += tokens;
  }

  KernelInfo info() const override { return {"vernier", "", "kv_append"}; }
};

// One run's operands.
class CachedRun {
 public:
  CachedRun(const CachedAttention& attention, CachedAttentionKernel kernel, const RunArgs& args)
      : attention_(attention),
        kernel_(kernel),
        cache_(CacheOf(args.inputs[1])),
        q_(args.inputs[0]),
        y_(args.outputs[0]),
        rows_(q_.shape[0]),
        tokens_(q_.shape[1]),
        group_(attention.heads / attention.kv_heads) {
    if (args.inputs.size() > 2 && args.inputs[2].exists()) bias_ = &args.inputs[2];
    if (args.inputs.size() > 3 && args.inputs[3].exists()) {
      slots_ = args.inputs[3].row<const int32_t>(0);
    }
  }

  int64_t jobs() const { return cache_.rows * attention_.kv_heads; }

  /// Scratch of one thread for as many queries of one head of a cache row as there may be.
  static size_t ScratchBytes(int64_t queries, int64_t head_dim) {
    const size_t floats = static_cast<size_t>(queries * head_dim) * 2 * sizeof(float);
    const size_t structs = static_cast<size_t>(queries) * (sizeof(Query) + sizeof(CachedQuery));
    return RoundUp(floats + structs, size_t{64});
  }

  /// A head of a row of the cache, for all queries that read it.
  void RunJob(int64_t job, void* scratch) const {
    const int64_t slot = job / attention_.kv_heads, head = job % attention_.kv_heads;
    const int64_t dim = cache_.head_dim;
    const int64_t most = rows_ * tokens_ * group_;
    auto* queries = static_cast<Query*>(scratch);
    auto* states = reinterpret_cast<CachedQuery*>(queries + most);
    auto* numbers = reinterpret_cast<float*>(states + most);
    int64_t count = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      if ((slots_ != nullptr ? slots_[row] : row) != slot) continue;
      for (int64_t i = 0; i < tokens_ * group_; ++i) {
        const int64_t token = i / group_, query_head = head * group_ + i % group_;
        queries[count] = MakeQuery(slot, row * tokens_ + token, token, query_head);
        states[count] = MakeState(queries[count], numbers);
        ++count;
        numbers += 2 * dim;
      }
    }
    Attend(slot, head, {queries, static_cast<size_t>(count)}, states);
  }

 private:
  struct Query {
    int64_t visible;    // keys that it sees
    const float* bias;  // of the key at its own place; null: none
    int64_t own;        // its own place
    int64_t index, head;
  };

  Query MakeQuery(int64_t slot, int64_t index, int64_t token, int64_t head) const {
    const int64_t length = cache_.lengths[slot], own = length - tokens_ + token;
    return {.visible = attention_.mask == AttentionMask::kCausal ? own + 1 : length,
            .bias = bias_ == nullptr ? nullptr : bias_->row<const float>(head),
            .own = own,
            .index = index,
            .head = head};
  }

  CachedQuery MakeState(const Query& query, float* numbers) const {
    const int64_t dim = cache_.head_dim;
    const auto scale = static_cast<float>(attention_.scale);
    for (int64_t c = 0; c < dim; ++c) {
      const int64_t at = query.index * q_.row_stride + query.head * dim + c;
      numbers[c] =
          scale * (q_.dtype == DType::kF32 ? static_cast<const float*>(q_.data)[at]
                                           : FromBf16(static_cast<const uint16_t*>(q_.data)[at]));
    }
    return {.q = numbers, .sums = numbers + dim};
  }

  const void* Tokens(const void* base, int64_t slot, int64_t head, int64_t token) const {
    return static_cast<const char*>(base) +
           static_cast<size_t>(cache_.Offset(slot, head, token)) * ByteSize(cache_.dtype);
  }

  void Attend(int64_t slot, int64_t head, std::span<const Query> queries,
              CachedQuery* states) const {
    constexpr int64_t kBlock = KvView::kBlockTokens;
    const int64_t length = cache_.lengths[slot];
    for (int64_t first = 0; first < length; first += kBlock) {
      CachedBlock block{.keys = Tokens(cache_.keys, slot, head, first),
                        .values = Tokens(cache_.values, slot, head, first),
                        .element = ElementOf(cache_.dtype),
                        .head_dim = cache_.head_dim};
      if (first + kBlock < length) {
        block.next_keys = Tokens(cache_.keys, slot, head, first + kBlock);
        block.next_values = Tokens(cache_.values, slot, head, first + kBlock);
      }
      // Queries that see as much of the block go together.
      const auto seen = [&](size_t i) { return std::min(kBlock, queries[i].visible - first); };
      for (size_t i = 0, end = 0; i < queries.size(); i = end) {
        for (; end < queries.size() && seen(end) == seen(i); ++end) {
          const Query& query = queries[end];
          states[end].bias = query.bias == nullptr ? nullptr : query.bias + (query.own - first);
        }
        block.tokens = seen(i);
        if (block.tokens <= 0) continue;
        kernel_(block, states + i, static_cast<int64_t>(end - i));
        block.next_keys = block.next_values = nullptr;  // once is enough
      }
    }
    for (size_t i = 0; i < queries.size(); ++i) Write(queries[i], states[i]);
  }

  void Write(const Query& query, const CachedQuery& state) const {
    const int64_t dim = cache_.head_dim;
    const float factor = state.total == 0.0f ? 0.0f : 1.0f / state.total;
    for (int64_t c = 0; c < dim; ++c) {
      // A query that sees nothing never had its sums written.
      const float value = factor == 0.0f ? 0.0f : state.sums[c] * factor;
      const int64_t at = query.index * y_.row_stride + query.head * dim + c;
      if (y_.dtype == DType::kF32) {
        static_cast<float*>(y_.data)[at] = value;
      } else {
        static_cast<uint16_t*>(y_.data)[at] = ToBf16(value);
      }
    }
  }

  const CachedAttention& attention_;
  CachedAttentionKernel kernel_;
  const KvView& cache_;
  const TensorArg &q_, &y_;
  int64_t rows_, tokens_, group_;
  const TensorArg* bias_ = nullptr;
  const int32_t* slots_ = nullptr;
};

// Attention of prompts, whose queries share packed keys and values in tiles.
class PromptAttention {
 public:
  /// Fewer tokens a row are not worth packing the cache for.
  static constexpr int64_t kLeastTokens = 16;

  static bool Suits(const BindArgs& bound) {
    const auto given = [&](size_t input) {  // there is no data yet
      return bound.inputs.size() > input && bound.inputs[input].shape.rank() > 0;
    };
    const TensorArg& q = bound.inputs[0];
    return q.dtype == DType::kF32 && q.shape[1] >= kLeastTokens && !given(2) && !given(3);
  }

  /// For as many keys as the cache may hold.
  static size_t ScratchBytes(const CachedAttention& attention, Isa isa, const BindArgs& bound) {
    AttentionArgs args = Sizes(attention, bound.inputs[0]);
    args.kv_len = bound.inputs[1].shape[1];
    return static_cast<size_t>(AttentionScratchBytes(isa, bound.threads, args));
  }

  static void Run(const CachedAttention& attention, Isa isa, int threads, const RunArgs& run) {
    const TensorArg &q = run.inputs[0], &y = run.outputs[0];
    const KvView& cache = CacheOf(run.inputs[1]);
    AttentionArgs args = Sizes(attention, q);
    VN_CHECK(args.batch <= cache.rows && args.head_dim == cache.head_dim, "another cache's query");
    args.kv_len = *std::max_element(cache.lengths, cache.lengths + args.batch);
    args.kv_lens = cache.lengths;
    args.q = {q.data, Element::kF32, q.row_stride, q.row_stride * args.query_len};
    const int64_t head_stride = KvView::kBlockTokens * cache.head_dim;
    args.k = {cache.keys, ElementOf(cache.dtype), cache.head_dim, 0};
    args.v = {cache.values, ElementOf(cache.dtype), cache.head_dim, 0};
    args.k_blocks = args.v_blocks = {cache.block_table, cache.blocks_per_row,
                                     head_stride * cache.kv_heads, head_stride};
    args.out = y.data;
    args.out_element = ElementOf(y.dtype);
    args.out_token_stride = y.row_stride;
    args.out_batch_stride = y.row_stride * args.query_len;
    args.cancel = run.cancel;
    RunAttention(isa, threads, args, run.scratch);
  }

 private:
  static AttentionArgs Sizes(const CachedAttention& attention, const TensorArg& q) {
    return {.batch = q.shape[0],
            .query_len = q.shape[1],
            .heads = attention.heads,
            .kv_heads = attention.kv_heads,
            .head_dim = q.columns() / attention.heads,
            .scale = static_cast<float>(attention.scale),
            .causal = attention.mask == AttentionMask::kCausal};
  }
};
static_assert(KvView::kBlockTokens == kTokensPerKvBlock);

class CachedAttentionNodeKernel final : public Kernel {
 public:
  CachedAttentionNodeKernel(const CachedAttention& attention, Isa isa, const BindArgs& bound)
      : attention_(attention),
        isa_(isa),
        threads_(bound.threads),
        in_tiles_(PromptAttention::Suits(bound)) {
    if (in_tiles_) {
      scratch_bytes_ = PromptAttention::ScratchBytes(attention, isa, bound);
      return;
    }
    const TensorArg& q = bound.inputs[0];
    const int64_t queries = q.rows() * (attention.heads / attention.kv_heads);
    per_thread_ = CachedRun::ScratchBytes(queries, q.columns() / attention.heads);
    scratch_bytes_ = static_cast<size_t>(threads_) * per_thread_;
  }

  void Run(const RunArgs& args) const override {
    if (in_tiles_) {
      return PromptAttention::Run(attention_, isa_, std::min(args.threads, threads_), args);
    }
    const CachedRun run(attention_, SelectCachedAttention(isa_), args);
    struct Call {
      const CachedRun* run;
      char* scratch;
      size_t per_thread;
      int threads;
    };
    const Call call = {&run, static_cast<char*>(args.scratch), per_thread_,
                       std::min(args.threads, threads_)};
    ParallelFor(call.threads, call.threads, 1, [&call](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        const int64_t jobs = call.run->jobs();
        for (int64_t job = jobs * slot / call.threads; job < jobs * (slot + 1) / call.threads;
             ++job) {
          call.run->RunJob(job, call.scratch + static_cast<size_t>(slot) * call.per_thread);
        }
      }
    });
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  KernelInfo info() const override {
    if (in_tiles_) return {"vernier", SelectAttention(isa_, Element::kF32).name, "attention"};
    const Isa used =
        isa_ == Isa::kScalar || isa_ == Isa::kAvx2 || isa_ == Isa::kNeon ? isa_ : Isa::kAvx512;
    return {"vernier", Name(used), "cached_attention"};
  }

 private:
  CachedAttention attention_;
  Isa isa_;
  int threads_;
  bool in_tiles_;
  size_t per_thread_ = 0;
  size_t scratch_bytes_ = 0;
};

class KvAppendNode final : public PreparedNode {
 public:
  std::unique_ptr<Kernel> Bind(const BindArgs&) const override {
    return std::make_unique<KvAppendKernel>();
  }
};

class CachedAttentionNode final : public PreparedNode {
 public:
  CachedAttentionNode(const CachedAttention& attention, Isa isa)
      : attention_(attention), isa_(isa) {}

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    return std::make_unique<CachedAttentionNodeKernel>(attention_, isa_, args);
  }

 private:
  CachedAttention attention_;
  Isa isa_;
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareKvAppend() { return std::make_unique<KvAppendNode>(); }

std::unique_ptr<PreparedNode> PrepareCachedAttention(const Node& node, Isa isa) {
  return std::make_unique<CachedAttentionNode>(node.attributes.get<CachedAttention>(), isa);
}

}  // namespace vernier
