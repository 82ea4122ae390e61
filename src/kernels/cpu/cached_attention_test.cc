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

TEST_P(CachedAttentionKernels, GiveTheSoftmaxOverAnyNumberOfTokensAndAnyWidth) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (int64_t head_dim : {1, 7, 8, 16, 25, 64, 65, 80, 128}) {
      for (int64_t tokens : {1, 3, 4, 17, 63, 64, 65, 150}) {
        Cache cache(tokens, head_dim, element);
        TestRows query(1, head_dim, Element::kF32), biases(1, tokens, Element::kF32);
        query.FillNormal(1, head_dim, 3);
        biases.FillNormal(1, tokens, 4);
        const std::vector<float> q(query.floats(), query.floats() + head_dim);
        const std::vector<float> bias(biases.floats(), biases.floats() + tokens);
        std::vector<float> sums(static_cast<size_t>(head_dim), std::nanf(""));
        CachedQuery state{.q = q.data(), .sums = sums.data()};
        for (int64_t first = 0; first < tokens; first += kCachedBlockTokens) {
          const int64_t count = std::min(tokens - first, kCachedBlockTokens);
          const int64_t next = first + kCachedBlockTokens;
          const bool more = next + kCachedBlockTokens <= tokens;
          SelectCachedAttention(GetParam())(
              {.keys = Advance(cache.keys, first * head_dim),
               .values = Advance(cache.values, first * head_dim),
               .element = element,
               .tokens = count,
               .head_dim = head_dim,
               .bias = bias.data() + tokens - 1 - first,
               .next_keys = more ? Advance(cache.keys, next * head_dim) : nullptr,
               .next_values = more ? Advance(cache.values, next * head_dim) : nullptr},
              state);
        }
        const std::vector<double> expected = Expected(cache, q, bias, tokens);
        // Scores of up to about 40 round by (head_dim + 1) units; weights and sums add theirs.
        const double allowed = 40.0 * static_cast<double>(head_dim + tokens + 16) * 0x1p-24;
        for (size_t c = 0; c < sums.size(); ++c) {
          ASSERT_NEAR(sums[c] / state.total, expected[c], allowed)
              << head_dim << " wide, " << tokens << " tokens";
        }
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
                                      state);
  }
  EXPECT_EQ(sum / state.total, 2.0f);
}

INSTANTIATE_TEST_SUITE_P(Isa, CachedAttentionKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
