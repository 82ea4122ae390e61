#include "backends/ref/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "ops/attention.h"

namespace vernier {
namespace {

// One head of one query row against keys key(0..count-1) and values; sums in fp64.
template <typename KeyRow, typename ValueRow>
void AttendRow(const float* query, int64_t dim, int64_t count, double scale, const float* bias,
               KeyRow key, ValueRow value, float* out) {
  std::vector<double> scores(static_cast<size_t>(count));
  double top = -std::numeric_limits<double>::infinity();
  for (int64_t j = 0; j < count; ++j) {
    const float* k = key(j);
    double dot = 0;
    for (int64_t c = 0; c < dim; ++c) dot += static_cast<double>(query[c]) * k[c];
    double& score = scores[static_cast<size_t>(j)];
    score = dot * scale + (bias != nullptr ? bias[j] : 0.0);
    top = std::max(top, score);
  }
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - top);
  std::vector<double> mixed(static_cast<size_t>(dim), 0.0);
  for (int64_t j = 0; j < count; ++j) {
    const float* v = value(j);
    const double weight = scores[static_cast<size_t>(j)] / sum;
    for (int64_t c = 0; c < dim; ++c) mixed[static_cast<size_t>(c)] += weight * v[c];
  }
  for (int64_t c = 0; c < dim; ++c) out[c] = static_cast<float>(mixed[static_cast<size_t>(c)]);
}

// Rows q0..q1 of the query against rows k0..k1 of key and value.
struct Span {
  int64_t q0, q1, k0, k1;
};

void AttendSpan(const RefArgs& args, const Span& span) {
  const auto& attention = args.attributes.get<Attention>();
  const TensorArg &q = args.inputs[0], &k = args.inputs[1], &v = args.inputs[2];
  const TensorArg& y = args.outputs[0];
  const int64_t dim = q.columns() / attention.heads;
  const int64_t group = attention.heads / attention.kv_heads;
  const int64_t queries = span.q1 - span.q0, keys = span.k1 - span.k0;
  const bool has_bias = args.inputs.size() > 3 && args.inputs[3].exists();
  ParallelFor(args.threads, queries * attention.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const int64_t row = job / attention.heads, head = job % attention.heads;
      const int64_t channel = head / group * dim;
      const int64_t count = attention.mask == AttentionMask::kCausal
                                ? std::clamp<int64_t>(row + 1 + keys - queries, 0, keys)
                                : keys;
      const float* bias = nullptr;
      if (has_bias) {
        const TensorArg& table = args.inputs[3];
        bias = table.row<float>((table.shape[0] == 1 ? 0 : head) * queries + row);
      }
      AttendRow(
          q.row<float>(span.q0 + row) + head * dim, dim, count, attention.scale, bias,
          [&](int64_t j) { return k.row<float>(span.k0 + j) + channel; },
          [&](int64_t j) { return v.row<float>(span.k0 + j) + channel; },
          y.row<float>(span.q0 + row) + head * dim);
    }
  });
}

KvView& State(const TensorArg& arg) { return *static_cast<KvView*>(arg.data); }

}  // namespace

void RefAttention(const RefArgs& args) {
  const TensorArg &q = args.inputs[0], &k = args.inputs[1];
  if (args.inputs.size() > 4 && args.inputs[4].exists()) {
    const TensorArg& segments = args.inputs[4];
    const auto* offsets = segments.row<int32_t>(0);
    for (int64_t s = 0; s + 1 < segments.columns(); ++s) {
      VN_CHECK(offsets[s] >= 0 && offsets[s] <= offsets[s + 1] && offsets[s + 1] <= q.rows(),
               "segment offsets must rise and stay within the tokens");
      AttendSpan(args, {offsets[s], offsets[s + 1], offsets[s], offsets[s + 1]});
    }
    return;
  }
  const int64_t queries = q.shape[-2], keys = k.shape[-2];
  const int64_t batch = queries == 0 ? 0 : q.rows() / queries;
  for (int64_t b = 0; b < batch; ++b) {
    AttendSpan(args, {b * queries, (b + 1) * queries, b * keys, (b + 1) * keys});
  }
}

void RefKvAppend(const RefArgs& args) {
  KvView& state = State(args.inputs[0]);
  const TensorArg &k = args.inputs[1], &v = args.inputs[2];
  const int64_t tokens = k.shape[1];
  const size_t bytes = static_cast<size_t>(state.width) * sizeof(float);
  for (int64_t row = 0; row < state.rows; ++row) {
    const int64_t length = state.lengths[row];
    VN_CHECK(length + tokens <= state.blocks_per_row * KvView::kBlockTokens,
             "the key-value cache is full");
    for (int64_t t = 0; t < tokens; ++t) {
      std::memcpy(state.Key(row, length + t), k.row<float>(row * tokens + t), bytes);
      std::memcpy(state.ValueAt(row, length + t), v.row<float>(row * tokens + t), bytes);
    }
    state.lengths[row] += tokens;
  }
}

void RefCachedAttention(const RefArgs& args) {
  const auto& attention = args.attributes.get<CachedAttention>();
  const TensorArg &q = args.inputs[0], &y = args.outputs[0];
  const KvView& state = State(args.inputs[1]);
  const int64_t dim = q.columns() / attention.heads, queries = q.shape[1];
  const int64_t group = attention.heads / attention.kv_heads;
  ParallelFor(args.threads, q.rows() * attention.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const int64_t index = job / attention.heads, head = job % attention.heads;
      const int64_t row = index / queries, length = state.lengths[row];
      const int64_t channel = head / group * dim;
      const int64_t count = attention.mask == AttentionMask::kCausal
                                ? std::max<int64_t>(length - queries + index % queries + 1, 0)
                                : length;
      AttendRow(
          q.row<float>(index) + head * dim, dim, count, attention.scale, nullptr,
          [&](int64_t j) { return state.Key(row, j) + channel; },
          [&](int64_t j) { return state.ValueAt(row, j) + channel; },
          y.row<float>(index) + head * dim);
    }
  });
}

}  // namespace vernier
