// Softmax attention of one head over packed keys and values, in tiles of queries: scores exist for
// one tile and few keys at a time (running maximum and sum, as in FlashAttention). Pure, noexcept,
// no threads, no allocation. Each output row is computed by the same chain of operations whatever
// tile or batch it is in. Bound: FLOPs (4 · keys · head_dim per query and head). Reached on one
// Zen 4 core, packing included, of the 118 GFLOP/s that its fp32 multiply-adds can do and the 236
// of its bf16 ones (backends/cpu/attention_bench.cc):
//   197 tokens, 12 heads of 64:         fp32 91 (77 %), bf16 168 (71 %)
//   1025 tokens, 16 heads of 64:        fp32 97 (82 %), bf16 187 (79 %)
//   784 tokens, 16 heads of 72, turned: fp32 94 (80 %), bf16 190 (81 %)
//   512 tokens, 16 heads of 128:        fp32 102 (86 %), bf16 195 (83 %)
// Of the bf16 time at 784 tokens, powers of two are 3 %, rows on their way in and out 10 %.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"
#include "kernels/cpu/rotary.h"

namespace vernier {

enum class Isa;

constexpr int64_t kMaxHeadDim = 256;
constexpr int64_t kTokensPerKvBlock = 64;

/// The rows of one head. Strided: row r starts at base + r * stride. Paged (`blocks` given): at
/// base + blocks[r / 64] * block_stride + r % 64 * stride. Strides count elements.
struct AttentionRows {
  const void* base = nullptr;
  Element element = Element::kF32;
  int64_t stride = 0;
  const int32_t* blocks = nullptr;
  int64_t block_stride = 0;
};

/// First step, once per batch entry and key-value head.
struct AttentionPack {
  AttentionRows keys = {};
  AttentionRows values = {};
  int64_t kv_len = 0;
  int64_t head_dim = 0;     // 1 to kMaxHeadDim
  RotaryTable rotary = {};  // for keys, row 0 for key 0
  void* packed = nullptr;
};

/// Second step, for neighbouring queries of one head.
struct AttentionTile {
  AttentionRows queries = {};  // its row 0 is the tile's first query
  RotaryTable rotary = {};     // likewise
  int64_t rows = 0;            // at most AttentionKernels::tile_rows
  int64_t first_query = 0;     // place in the sequence, for the causal mask
  int64_t query_len = 0;
  int64_t kv_len = 0;
  int64_t head_dim = 0;
  float scale = 1.0f;           // of q · k; positive
  bool causal = false;          // query i sees the keys up to i + (kv_len - query_len)
  const float* bias = nullptr;  // added to scaled scores, [rows, kv_len]; null: none
  int64_t bias_stride = 0;
  const void* packed = nullptr;
  void* scratch = nullptr;
  void* out = nullptr;  // [rows, head_dim]; rows that see no key are 0
  Element out_element = Element::kF32;
  int64_t out_stride = 0;
};

/// One version. `packed` and `scratch` must be aligned to 64 bytes and as large as told here.
struct AttentionKernels {
  const char* name;
  int64_t tile_rows;
  int64_t row_step;  // rows that are multiplied together: tiles are best a multiple of it
  int64_t (*packed_bytes)(int64_t kv_len, int64_t head_dim);
  int64_t (*scratch_bytes)(int64_t head_dim);
  void (*pack)(const AttentionPack&) noexcept;
  void (*tile)(const AttentionTile&) noexcept;
};

/// The fastest version within `isa` that multiplies in `multiply`: with kBf16, queries, keys and
/// probabilities are rounded to bf16 where the instruction set multiplies it, else widened.
const AttentionKernels& SelectAttention(Isa isa, Element multiply);

namespace scalar {
extern const AttentionKernels kAttention;
}
namespace avx2 {
extern const AttentionKernels kAttention;
}
namespace avx512 {
extern const AttentionKernels kAttention;
}
namespace avx512_bf16 {
extern const AttentionKernels kAttention;
}
namespace neon {
extern const AttentionKernels kAttention;
}

}  // namespace vernier
