// Building blocks of models: functions that look up weights under a path and add nodes. They know
// no device, no dtype and no threads. A node takes the name of its path, which equals the name of
// the published model's module.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/resize_grid.h"
#include "ops/rope.h"

namespace vernier::nn {

/// x * transpose(at.weight) + at.bias; at.weight is [out, in].
Value Linear(Value x, const Path& at, int64_t out, bool bias = true);
/// As Linear with the weight and bias given by path.
Value LinearWith(Value x, const Path& weight, const Path& bias, const Path& at, int64_t out);
Value LayerNorm(Value x, const Path& at, double eps);
/// T5's layer norm: at.weight alone.
Value RmsNorm(Value x, const Path& at, double eps);
Value Activate(Value x, ActivationKind kind, const Path& at);
Value Add(Value a, Value b, const Path& at);
/// a * b, element by element.
Value Mul(Value a, Value b, const Path& at);
/// x * gamma, one factor per channel.
Value LayerScale(Value x, const Path& gamma, const Path& at);
/// T5's gated feed-forward: (act(x * wi_0) . (x * wi_1)) * wo under `at`, no biases.
struct GatedMlpWidths {
  int64_t hidden;
  int64_t out;
};
Value GatedMlp(Value x, const Path& at, const GatedMlpWidths& widths, ActivationKind activation);
/// Rows of `table` by `ids`; the result has the shape of ids and then of one row.
Value Gather(Value table, Value ids, const Path& at);
/// Gather from the table at.weight [rows, width].
Value Embedding(Value ids, const Path& at, int64_t rows, int64_t width);
Value Attention(Value q, Value k, Value v, const vernier::Attention& attributes, const Path& at);
/// Attention over the keys that `visible` [batch, keys] marks with 1.
Value MaskedAttention(Value q, Value k, Value v, Value visible,
                      const vernier::Attention& attributes, const Path& at);
/// Attention of packed tokens [tokens, channels], within each of the `segments` (i32 offsets).
Value PackedAttention(Value q, Value k, Value v, Value segments,
                      const vernier::Attention& attributes, const Path& at);
/// Softmax of q k^T * scale as [batch, heads, queries, keys]; only for looking at.
Value AttentionProbabilities(Value q, Value k, const vernier::Attention& attributes,
                             const Path& at);
/// A cache, longer by new keys and values; and attention over one, `bias` and `slots` being
/// optional.
Value KvAppend(Value cache, Value k, Value v, const Path& at);
Value CachedAttention(Value q, Value cache, Value bias, Value slots,
                      const vernier::CachedAttention& attributes, const Path& at);
Value DistanceBias(Value table, const vernier::DistanceBias& attributes, const Path& at);
Value Rotate(Value x, Value cosines, Value sines, const Rope& attributes, const Path& at);
/// [batch, tokens, heads*dim] as [batch, heads, tokens, dim]; only for looking at.
Value HeadsFirst(Value x, int heads, const Path& at);

/// A strided convolution whose kernel is its stride, as a product: pixels [batch, channels, height,
/// width] to tokens [batch, rows*columns, width]. The weight is stored [width, channels, ph, pw].
struct PatchEmbedding {
  int64_t width;
  int64_t patch_height;
  int64_t patch_width;
  bool bias;
};
Value PatchEmbed(Value pixels, const PatchEmbedding& patch, const Path& weights, const Path& at);
/// The same for patches that are cut already: [patches, channels, ph, pw] to [patches, width].
Value EmbedPatches(Value patches, int64_t width, const Path& at);

Value Reshape(Value x, Dims shape, const Path& at);
Value Slice(Value x, int axis, const Dim& begin, const Dim& length, const Path& at);
Value Concat(const std::vector<Value>& parts, int axis, const Path& at);
/// One learned token in front of every row of tokens: token is [1, 1, width].
Value PrependToken(Value token, Value tokens, const Path& at);
Value Mean(Value x, int axis, const Path& at);
Value Transpose(Value x, std::vector<int> order, const Path& at);

}  // namespace vernier::nn
