#include "kernels/cpu/cached_attention.h"

#include <algorithm>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class CachedAttentionKernels : public EachIsa {};

struct Cache {
  Cache(int64_t tokens, int64_t head_dim, Element element)
      : keys(1, tokens * head_dim, element), values(1, tokens * head_dim, element) {
    keys.FillNormal(1, tokens * head_dim, 1);
    values.FillNormal(1, tokens * head_dim, 2);
  }
  TestRows keys, values;
};

const void* Advance(TestRows& rows, int64_t elements) {
  return static_cast<const char*>(rows.data()) + elements * ElementBytes(rows.element());
}

// Softmax of q k^T and the mean of the values, by its definition.
std::vector<double> Expected(const Cache& cache, const std::vector<float>& q,
                             const std::vector<float>& bias, int64_t tokens) {
  const auto dim = static_cast<int64_t>(q.size());
  std::vector<double> scores, mixed(q.size());
  for (int64_t t = 0; t < tokens; ++t) {
    double dot = bias[static_cast<size_t>(tokens - 1 - t)];
    for (int64_t c = 0; c < dim; ++c) {
      dot += static_cast<double>(q[static_cast<size_t>(c)]) * cache.keys.Get(0, t * dim + c);
    }
    scores.push_back(dot);
  }
  const double top = *std::ranges::max_element(scores);
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - top);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t c = 0; c < dim; ++c) {
      mixed[static_cast<size_t>(c)] +=
          scores[static_cast<size_t>(t)] / total * cache.values.Get(0, t * dim + c);
    }
  }
  return mixed;
}

struct Shape {
  int64_t tokens, head_dim, queries;
};

// What some queries, each with biases of its own, get of a cache.
struct Results {
  std::vector<std::vector<float>> q, bias, sums;
  std::vector<CachedQuery> states;
};

Results Attend(Isa isa, Cache& cache, Element element, const Shape& shape) {
  Results results;
  for (int64_t i = 0; i < shape.queries; ++i) {
    const auto seed = static_cast<uint32_t>(3 + 2 * i);
    TestRows query(1, shape.head_dim, Element::kF32), biases(1, shape.tokens, Element::kF32);
    query.FillNormal(1, shape.head_dim, seed);
    biases.FillNormal(1, shape.tokens, seed + 1);
    results.q.emplace_back(query.floats(), query.floats() + shape.head_dim);
    results.bias.emplace_back(biases.floats(), biases.floats() + shape.tokens);
    results.sums.emplace_back(static_cast<size_t>(shape.head_dim), std::nanf(""));
  }
  for (size_t i = 0; i < results.q.size(); ++i) {
    results.states.push_back({.q = results.q[i].data(), .sums = results.sums[i].data()});
  }
  for (int64_t first = 0; first < shape.tokens; first += kCachedBlockTokens) {
    for (size_t i = 0; i < results.q.size(); ++i) {
      results.states[i].bias = results.bias[i].data() + shape.tokens - 1 - first;
    }
    const int64_t next = first + kCachedBlockTokens;
    const bool more = next + kCachedBlockTokens <= shape.tokens;
    SelectCachedAttention(isa)(
        {.keys = Advance(cache.keys, first * shape.head_dim),
         .values = Advance(cache.values, first * shape.head_dim),
         .element = element,
         .tokens = std::min(shape.tokens - first, kCachedBlockTokens),
         .head_dim = shape.head_dim,
         .next_keys = more ? Advance(cache.keys, next * shape.head_dim) : nullptr,
         .next_values = more ? Advance(cache.values, next * shape.head_dim) : nullptr},
        results.states.data(), shape.queries);
  }
  return results;
}

void ExpectSoftmax(Isa isa, Element element, const Shape& shape) {
  Cache cache(shape.tokens, shape.head_dim, element);
  const Results results = Attend(isa, cache, element, shape);
  // Scores of up to about 40 round by (head_dim + 1) units; weights and sums add theirs.
  const double allowed = 40.0 * static_cast<double>(shape.head_dim + shape.tokens + 16) * 0x1p-24;
  for (size_t i = 0; i < results.q.size(); ++i) {
    const std::vector<double> expected =
        Expected(cache, results.q[i], results.bias[i], shape.tokens);
    for (size_t c = 0; c < expected.size(); ++c) {
      ASSERT_NEAR(results.sums[i][c] / results.states[i].total, expected[c], allowed)
          << shape.head_dim << " wide, " << shape.tokens << " tokens, query " << i << " of "
          << shape.queries;
    }
  }
}

TEST_P(CachedAttentionKernels, GiveTheSoftmaxOverAnyNumberOfTokensAndAnyWidth) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (int64_t head_dim : {1, 7, 8, 16, 25, 64, 65, 80, 128}) {
      for (int64_t tokens : {1, 3, 4, 17, 63, 64, 65, 150}) {
        for (int64_t queries : {1, 2, 7}) {
          ExpectSoftmax(GetParam(), element, {tokens, head_dim, queries});
        }
      }
    }
  }
}

TEST_P(CachedAttentionKernels, GiveAQueryTheSameBitsAloneAndAmongOthers) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    const Shape shape = {150, 72, 7};
    Cache cache(shape.tokens, shape.head_dim, element);
    const Results all = Attend(GetParam(), cache, element, shape);
    for (int64_t queries = 1; queries < shape.queries; ++queries) {
      const Results some =
          Attend(GetParam(), cache, element, {shape.tokens, shape.head_dim, queries});
      for (size_t i = 0; i < some.q.size(); ++i) {
        EXPECT_EQ(some.sums[i], all.sums[i]) << i << " of " << queries;
        EXPECT_EQ(some.states[i].total, all.states[i].total) << i << " of " << queries;
      }
    }
  }
}

TEST_P(CachedAttentionKernels, StayFiniteWhateverTheScores) {
  const std::vector<float> q = {1.0f}, keys = {-3e38f, 3e38f, 100.0f}, values = {1, 2, 3};
  float sum = 0;
  CachedQuery state{.q = q.data(), .sums = &sum};
  for (int64_t t = 0; t < 3; ++t) {
    SelectCachedAttention(GetParam())({.keys = &keys[static_cast<size_t>(t)],
                                       .values = &values[static_cast<size_t>(t)],
                                       .tokens = 1,
                                       .head_dim = 1},
                                      &state, 1);
  }
  EXPECT_EQ(sum / state.total, 2.0f);
}

INSTANTIATE_TEST_SUITE_P(Isa, CachedAttentionKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
