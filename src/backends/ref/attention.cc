#include "backends/ref/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/cpu_features.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "kernels/cpu/exact_product.h"
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

const float* BiasRow(const RefArgs& args, const Span& span, int64_t head, int64_t row) {
  if (args.inputs.size() <= 3 || !args.inputs[3].exists()) return nullptr;
  const TensorArg& table = args.inputs[3];
  return table.row<float>((table.shape[0] == 1 ? 0 : head) * (span.q1 - span.q0) + row);
}

// AttendRow for whole tiles of query rows, bit for bit: the sums of several rows and keys are
// formed at a time, each in AttendRow's order. Used by one thread.
class TiledAttention {
 public:
  TiledAttention(const RefArgs& args, const Span& span, const ExactProduct& product)
      : args_(args),
        span_(span),
        product_(product),
        attention_(args.attributes.get<Attention>()),
        dim_(args.inputs[0].columns() / attention_.heads),
        keys_(span.k1 - span.k0),
        key_panels_(Panels(keys_)),
        value_panels_(Panels(dim_)) {
    packed_keys_.resize(static_cast<size_t>(key_panels_ * dim_ * product_.columns));
    packed_values_.resize(static_cast<size_t>(value_panels_ * keys_ * product_.columns));
    packed_rows_.resize(static_cast<size_t>(std::max(dim_, keys_) * product_.rows));
    scores_.resize(static_cast<size_t>(product_.rows * key_panels_ * product_.columns));
  }

  /// Query rows begin..end of a head, `end - begin` at most the tile's.
  void Run(int64_t head, int64_t begin, int64_t end) {
    if (const int64_t kv_head = head * attention_.kv_heads / attention_.heads;
        kv_head != packed_head_) {
      PackHead(kv_head);
    }
    Score(head, begin, end);
    for (int64_t row = begin; row < end; ++row) Normalise(head, row, row - begin);
    Mix(head, begin, end);
  }

 private:
  int64_t Panels(int64_t count) const { return CeilDiv(count, product_.columns); }
  double* Scores(int64_t tile_row) {
    return scores_.data() + tile_row * key_panels_ * product_.columns;
  }

  void PackHead(int64_t kv_head) {
    packed_head_ = kv_head;
    const int64_t width = product_.columns, channel = kv_head * dim_;
    for (int64_t j = 0; j < keys_; ++j) {
      const float* key = args_.inputs[1].row<float>(span_.k0 + j) + channel;
      double* to = packed_keys_.data() + j / width * width * dim_ + j % width;
      for (int64_t c = 0; c < dim_; ++c) to[c * width] = key[c];
      const float* value = args_.inputs[2].row<float>(span_.k0 + j) + channel;
      for (int64_t c = 0; c < dim_; ++c) {
        packed_values_[static_cast<size_t>((c / width * keys_ + j) * width + c % width)] = value[c];
      }
    }
  }

  void Score(int64_t head, int64_t begin, int64_t end) {
    const int64_t rows = product_.rows, width = product_.columns;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = std::min(begin + i, end - 1);  // rows beyond the last one repeat it
      const float* query = args_.inputs[0].row<float>(span_.q0 + row) + head * dim_;
      for (int64_t c = 0; c < dim_; ++c) packed_rows_[static_cast<size_t>(c * rows + i)] = query[c];
    }
    double sums[kExactTileRows * kExactTileColumns];
    for (int64_t panel = 0; panel < key_panels_; ++panel) {
      product_.multiply_f32({.k = dim_,
                             .a = packed_rows_.data(),
                             .w = packed_keys_.data() + panel * dim_ * width,
                             .sums = sums});
      for (int64_t i = 0; i < rows; ++i) {
        std::copy_n(sums + i * width, width, Scores(i) + panel * width);
      }
    }
  }

  // Turns a row of dot products into weights and packs them for the second product.
  void Normalise(int64_t head, int64_t row, int64_t tile_row) {
    const float* bias = BiasRow(args_, span_, head, row);
    double* scores = Scores(tile_row);
    double top = -std::numeric_limits<double>::infinity();
    for (int64_t j = 0; j < keys_; ++j) {
      scores[j] = scores[j] * attention_.scale + (bias != nullptr ? bias[j] : 0.0);
      top = std::max(top, scores[j]);
    }
    double sum = 0;
    for (int64_t j = 0; j < keys_; ++j) sum += scores[j] = std::exp(scores[j] - top);
    for (int64_t j = 0; j < keys_; ++j) {
      packed_rows_[static_cast<size_t>(j * product_.rows + tile_row)] = scores[j] / sum;
    }
  }

  void Mix(int64_t head, int64_t begin, int64_t end) {
    const int64_t width = product_.columns;
    double sums[kExactTileRows * kExactTileColumns];
    for (int64_t panel = 0; panel < value_panels_; ++panel) {
      product_.multiply_f64({.k = keys_,
                             .a = packed_rows_.data(),
                             .w = packed_values_.data() + panel * keys_ * width,
                             .sums = sums});
      const int64_t columns = std::min(width, dim_ - panel * width);
      for (int64_t row = begin; row < end; ++row) {
        float* out = args_.outputs[0].row<float>(span_.q0 + row) + head * dim_ + panel * width;
        for (int64_t c = 0; c < columns; ++c) {
          out[c] = static_cast<float>(sums[(row - begin) * width + c]);
        }
      }
    }
  }

  const RefArgs& args_;
  const Span& span_;
  const ExactProduct& product_;
  const Attention& attention_;
  const int64_t dim_, keys_, key_panels_, value_panels_;
  int64_t packed_head_ = -1;
  std::vector<double> packed_keys_;    // [panel][dim][columns]
  std::vector<double> packed_values_;  // [panel][keys][columns]
  std::vector<double> packed_rows_;    // [dim or keys][rows]
  std::vector<double> scores_;         // [rows][keys, in whole panels]
};

void AttendTiles(const RefArgs& args, const Span& span, const ExactProduct& product) {
  const int64_t heads = args.attributes.get<Attention>().heads;
  const int64_t queries = span.q1 - span.q0;
  const int64_t tiles = CeilDiv(queries, product.rows);
  ParallelFor(args.threads, heads * tiles, 1, [&](int64_t begin, int64_t end) {
    TiledAttention attention(args, span, product);
    for (int64_t job = begin; job < end && !args.cancelled(); ++job) {
      const int64_t row = job % tiles * product.rows;
      attention.Run(job / tiles, row, std::min(queries, row + product.rows));
    }
  });
}

void AttendRows(const RefArgs& args, const Span& span) {
  const auto& attention = args.attributes.get<Attention>();
  const TensorArg &q = args.inputs[0], &k = args.inputs[1], &v = args.inputs[2];
  const TensorArg& y = args.outputs[0];
  const int64_t dim = q.columns() / attention.heads;
  const int64_t group = attention.heads / attention.kv_heads;
  const int64_t queries = span.q1 - span.q0, keys = span.k1 - span.k0;
  ParallelFor(args.threads, queries * attention.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end && !args.cancelled(); ++job) {
      const int64_t row = job / attention.heads, head = job % attention.heads;
      const int64_t channel = head / group * dim;
      const int64_t count = attention.mask == AttentionMask::kCausal
                                ? std::clamp<int64_t>(row + 1 + keys - queries, 0, keys)
                                : keys;
      AttendRow(
          q.row<float>(span.q0 + row) + head * dim, dim, count, attention.scale,
          BiasRow(args, span, head, row),
          [&](int64_t j) { return k.row<float>(span.k0 + j) + channel; },
          [&](int64_t j) { return v.row<float>(span.k0 + j) + channel; },
          y.row<float>(span.q0 + row) + head * dim);
    }
  });
}

// Tiles pay once their rows share the packing of a head. Under a causal mask each row has keys of
// its own number.
void AttendSpan(const RefArgs& args, const Span& span) {
  const ExactProduct& product = SelectExactProduct(Cpu().best());
  const bool causal = args.attributes.get<Attention>().mask == AttentionMask::kCausal;
  if (!causal && span.q1 - span.q0 >= product.rows) {
    AttendTiles(args, span, product);
  } else {
    AttendRows(args, span);
  }
}

// The rows of `x` whose keys are visible, one after the other.
Tensor VisibleRows(const TensorArg& x, int64_t first, std::span<const float> visible,
                   int64_t count) {
  Tensor rows(DType::kF32, {count, x.columns()});
  float* to = rows.as<float>().data();
  for (size_t j = 0; j < visible.size(); ++j) {
    if (visible[j] == 0.0f) continue;
    to = std::copy_n(x.row<float>(first + static_cast<int64_t>(j)), x.columns(), to);
  }
  return rows;
}

// One batch entry against the keys that it may see: a shorter span where they stand first, else
// copies of the keys and values that remain.
void AttendVisible(const RefArgs& args, const Span& span) {
  const TensorArg& mask = args.inputs[Attention::kVisible];
  const int64_t keys = span.k1 - span.k0;
  const std::span<const float> visible(mask.row<float>(span.k0 / std::max<int64_t>(1, keys)),
                                       static_cast<size_t>(keys));
  const auto seen = keys - std::ranges::count(visible, 0.0f);
  const bool first = std::all_of(visible.begin(), visible.begin() + seen,
                                 [](float value) { return value != 0.0f; });
  if (first) return AttendSpan(args, {span.q0, span.q1, span.k0, span.k0 + seen});
  const Tensor k = VisibleRows(args.inputs[1], span.k0, visible, seen);
  const Tensor v = VisibleRows(args.inputs[2], span.k0, visible, seen);
  const TensorArg inputs[] = {args.inputs[0], TensorArg::Of(k.view()), TensorArg::Of(v.view())};
  AttendSpan({args.attributes, inputs, args.outputs, args.extents, args.threads, args.cancel},
             {span.q0, span.q1, 0, seen});
}

// The reference keeps its caches in f32.
KvView& State(const TensorArg& arg) {
  KvView& state = *static_cast<KvView*>(arg.data);
  VN_CHECK(state.dtype == DType::kF32, "the reference reads caches in f32 only");
  return state;
}

}  // namespace

void RefAttention(const RefArgs& args) {
  const TensorArg &q = args.inputs[0], &k = args.inputs[1];
  if (args.inputs.size() > Attention::kSegments && args.inputs[Attention::kSegments].exists()) {
    const TensorArg& segments = args.inputs[Attention::kSegments];
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
  const bool masked =
      args.inputs.size() > Attention::kVisible && args.inputs[Attention::kVisible].exists();
  for (int64_t b = 0; b < batch; ++b) {
    const Span span = {b * queries, (b + 1) * queries, b * keys, (b + 1) * keys};
    masked ? AttendVisible(args, span) : AttendSpan(args, span);
  }
}

void RefKvAppend(const RefArgs& args) {
  KvView& state = State(args.inputs[0]);
  const TensorArg &k = args.inputs[1], &v = args.inputs[2];
  const int64_t rows = k.shape[0], tokens = k.shape[1], dim = state.head_dim;
  VN_CHECK(rows <= state.rows && k.columns() == state.width(), "keys for another cache");
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = state.lengths[row];
    VN_CHECK(length + tokens <= state.capacity(), "the key-value cache is full");
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t head = 0; head < state.kv_heads; ++head) {
        const int64_t to = state.Offset(row, head, length + t);
        const int64_t from = row * tokens + t;
        std::copy_n(k.row<float>(from) + head * dim, dim, static_cast<float*>(state.keys) + to);
        std::copy_n(v.row<float>(from) + head * dim, dim, static_cast<float*>(state.values) + to);
      }
    }
    state.lengths[row] += tokens;
  }
}

void RefCachedAttention(const RefArgs& args) {
  const auto& attention = args.attributes.get<CachedAttention>();
  const TensorArg &q = args.inputs[0], &y = args.outputs[0];
  const KvView& state = State(args.inputs[1]);
  const bool has_bias = args.inputs.size() > 2 && args.inputs[2].exists();
  const bool has_slots = args.inputs.size() > 3 && args.inputs[3].exists();
  const int64_t dim = state.head_dim, queries = q.shape[1];
  const int64_t group = attention.heads / attention.kv_heads;
  const auto* keys = static_cast<const float*>(state.keys);
  const auto* values = static_cast<const float*>(state.values);
  ParallelFor(args.threads, q.rows() * attention.heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> bias;
    for (int64_t job = begin; job < end && !args.cancelled(); ++job) {
      const int64_t index = job / attention.heads, head = job % attention.heads;
      int64_t row = index / queries;
      if (has_slots) row = args.inputs[3].row<const int32_t>(0)[row];
      const int64_t length = state.lengths[row], kv_head = head / group;
      const int64_t own = length - queries + index % queries;  // the query's own key
      const int64_t count =
          attention.mask == AttentionMask::kCausal ? std::max<int64_t>(own + 1, 0) : length;
      bias.assign(static_cast<size_t>(has_bias ? count : 0), 0.0f);
      for (size_t j = 0; j < bias.size(); ++j) {
        // A key after the query's own, which only a mask-less attention sees, counts as its own.
        const int64_t distance = std::max<int64_t>(own - static_cast<int64_t>(j), 0);
        bias[j] = args.inputs[2].row<const float>(head)[distance];
      }
      AttendRow(
          q.row<float>(index) + head * dim, dim, count, attention.scale,
          has_bias ? bias.data() : nullptr,
          [&](int64_t j) { return keys + state.Offset(row, kv_head, j); },
          [&](int64_t j) { return values + state.Offset(row, kv_head, j); },
          y.row<float>(index) + head * dim);
    }
  });
}

void RefDistanceBias(const RefArgs& args) {
  const TensorArg &table = args.inputs[0], &y = args.outputs[0];
  const int64_t buckets = table.shape[0], near = buckets / 2;
  const int64_t max_distance = args.attributes.get<DistanceBias>().max_distance;
  // Logarithms in fp32, as the published model takes them: a distance on the edge of two buckets
  // falls where it does there.
  const auto near_f = static_cast<float>(near);
  const float reach = std::log(static_cast<float>(max_distance) / near_f);
  for (int64_t distance = 0; distance < y.columns(); ++distance) {
    int64_t bucket = distance;
    if (distance >= near) {
      const float share = std::log(static_cast<float>(distance) / near_f) / reach;
      bucket = near + static_cast<int64_t>(share * static_cast<float>(buckets - near));
      bucket = std::min(bucket, buckets - 1);
    }
    for (int64_t head = 0; head < y.rows(); ++head) {
      y.row<float>(head)[distance] = table.row<const float>(bucket)[head];
    }
  }
}

}  // namespace vernier
