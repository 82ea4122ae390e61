// Attention by every version this machine has, against the formula in fp64.
#include "backends/cpu/attention.h"

#include <limits>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

struct Case {
  int64_t batch = 1, query_len = 1, kv_len = 1, heads = 1, kv_heads = 1, head_dim = 8;
  bool causal = false;
  bool bias = false;
  bool rotary = false;
  bool paged = false;
  Element element = Element::kF32;
  RotaryPairs pairs = RotaryPairs::kInterleaved;
  float spread = 1.0f;  // of queries and keys
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.batch << " x " << c.query_len << " queries, " << c.kv_len << " keys, " << c.heads
             << "/" << c.kv_heads << " heads of " << c.head_dim << (c.causal ? ", causal" : "")
             << (c.bias ? ", bias" : "") << (c.rotary ? ", rotary" : "")
             << (c.paged ? ", paged" : "") << (c.element == Element::kBf16 ? ", bf16" : "");
}

/// One case's operands: queries, keys and values as columns of one [batch * tokens, …] tensor where
/// the lengths agree, keys and values also as shuffled blocks.
class Problem {
 public:
  explicit Problem(const Case& c)
      : c_(c),
        tokens_(std::max(c.query_len, c.kv_len)),
        blocks_((c.kv_len + kTokensPerKvBlock - 1) / kTokensPerKvBlock),
        fused_(c.batch * tokens_, Width(), c.element),
        paged_(c.batch * blocks_ * kTokensPerKvBlock, 2 * c.kv_heads * c.head_dim, c.element),
        bias_(c.heads * c.query_len, c.kv_len, Element::kF32),
        cos_(tokens_, c.head_dim / 2, Element::kF32),
        sin_(tokens_, c.head_dim / 2, Element::kF32),
        out_(c.batch * c.query_len, c.heads * c.head_dim, c.element) {
    fused_.FillNormal(c.batch * tokens_, Width(), 1, c.spread);
    bias_.FillNormal(c.heads * c.query_len, c.kv_len, 2, 3.0f);
    for (int64_t t = 0; t < tokens_; ++t) {
      for (int64_t j = 0; j < c.head_dim / 2; ++j) {
        const double angle = static_cast<double>(t) / static_cast<double>(1 + j);
        cos_.Set(t, j, static_cast<float>(std::cos(angle)));
        sin_.Set(t, j, static_cast<float>(std::sin(angle)));
      }
    }
    CopyToBlocks();
  }

  void Run(Isa isa, int threads, const std::atomic<bool>* cancel = nullptr) {
    AttentionArgs args = Args();
    args.cancel = cancel;
    std::vector<char> scratch(static_cast<size_t>(AttentionScratchBytes(isa, threads, args)));
    RunAttention(isa, threads, args, scratch.data());
  }

  AttentionArgs Args() {
    AttentionArgs args = {.batch = c_.batch,
                          .query_len = c_.query_len,
                          .kv_len = c_.kv_len,
                          .heads = c_.heads,
                          .kv_heads = c_.kv_heads,
                          .head_dim = c_.head_dim,
                          .scale = Scale(),
                          .causal = c_.causal,
                          .q = Columns(fused_, 0, tokens_),
                          .k = Columns(fused_, KeyColumn(), tokens_),
                          .v = Columns(fused_, ValueColumn(), tokens_),
                          .out = out_.data(),
                          .out_element = c_.element,
                          .out_token_stride = out_.stride(),
                          .out_batch_stride = out_.stride() * c_.query_len};
    if (c_.bias) {
      args.bias = bias_.floats();
      args.bias_head_stride = bias_.stride() * c_.query_len;
      args.bias_query_stride = bias_.stride();
    }
    if (c_.rotary) {
      args.q_rotary = {cos_.floats(), sin_.floats(), cos_.stride(), c_.pairs};
      args.k_rotary = args.q_rotary;
    }
    if (c_.paged) {
      args.k = Columns(paged_, 0, 0);
      args.v = Columns(paged_, c_.kv_heads * c_.head_dim, 0);
      args.k_blocks = args.v_blocks = {table_.data(), blocks_, paged_.stride() * kTokensPerKvBlock};
    }
    return args;
  }

  float Result(int64_t batch, int64_t query, int64_t column) const {
    return out_.Get(batch * c_.query_len + query, column);
  }

  /// Compares one query of one head with the formula; `multiplies_bf16` widens the tolerance.
  void ExpectRow(int64_t batch, int64_t query, int64_t head, bool multiplies_bf16) const {
    const int64_t dim = c_.head_dim, kv_head = head / (c_.heads / c_.kv_heads);
    const int64_t last = c_.causal ? query + c_.kv_len - c_.query_len : c_.kv_len - 1;
    std::vector<double> scores;
    double largest = -std::numeric_limits<double>::infinity(), score_size = 0.0;
    for (int64_t key = 0; key < c_.kv_len && key <= last; ++key) {
      double score = 0.0, size = 0.0;
      for (int64_t i = 0; i < dim; ++i) {
        const double product = Rotated(batch, query, head * dim, i) *
                               Rotated(batch, key, KeyColumn() + kv_head * dim, i);
        score += product;
        size += std::abs(product);
      }
      score *= Scale();
      if (c_.bias) score += bias_.Get(head * c_.query_len + query, key);
      score_size = std::max(score_size, size * Scale() + std::abs(score));
      scores.push_back(score);
      largest = std::max(largest, score);
    }
    double total = 0.0;
    for (double& score : scores) total += score = std::exp(score - largest);
    // Scores: a chain of dim products (and 6 roundings around it); rotated operands lose one bf16
    // rounding each where bf16 is multiplied. Probabilities: their scores' absolute error, and a
    // bf16 rounding. Sums over keys: a chain of products and additions.
    double score_error = static_cast<double>(dim + 6) * 0x1p-24 * score_size;
    if (multiplies_bf16 && c_.rotary) score_error += 2 * 0x1p-8 * score_size;
    const double relative = 2 * score_error +
                            static_cast<double>(2 * scores.size() + 16) * 0x1p-24 +
                            (multiplies_bf16 ? 0x1p-8 : 0.0);
    for (int64_t i = 0; i < dim; ++i) {
      double expected = 0.0, size = 0.0;
      for (size_t key = 0; key < scores.size(); ++key) {
        const double value =
            Source(batch, static_cast<int64_t>(key), ValueColumn() + kv_head * dim + i);
        expected += scores[key] / total * value;
        size += scores[key] / total * std::abs(value);
      }
      ASSERT_NEAR(Result(batch, query, head * dim + i), expected,
                  relative * size + 2 * out_.Rounding(expected))
          << c_ << ": query " << query << ", head " << head << ", channel " << i;
    }
  }

 private:
  int64_t Width() const { return (c_.heads + 2 * c_.kv_heads) * c_.head_dim; }
  int64_t KeyColumn() const { return c_.heads * c_.head_dim; }
  int64_t ValueColumn() const { return (c_.heads + c_.kv_heads) * c_.head_dim; }
  float Scale() const { return 1.0f / std::sqrt(static_cast<float>(c_.head_dim)); }

  AttentionOperand Columns(TestRows& rows, int64_t column, int64_t tokens) const {
    const int64_t bytes = column * ElementBytes(rows.element());
    return {static_cast<char*>(rows.data()) + bytes, rows.element(), rows.stride(),
            rows.stride() * tokens};
  }

  double Source(int64_t batch, int64_t token, int64_t column) const {
    return fused_.Get(batch * tokens_ + token, column);
  }

  double Rotated(int64_t batch, int64_t token, int64_t column, int64_t i) const {
    const double value = Source(batch, token, column + i);
    if (!c_.rotary) return value;
    const bool halves = c_.pairs == RotaryPairs::kHalves;
    const int64_t half = c_.head_dim / 2;
    const int64_t pair = halves ? i % half : i / 2;
    const bool second = halves ? i >= half : i % 2 == 1;
    const int64_t other = halves ? (i + half) % c_.head_dim : (i ^ 1);
    const double partner = Source(batch, token, column + other);
    return value * cos_.Get(token, pair) + (second ? 1.0 : -1.0) * partner * sin_.Get(token, pair);
  }

  /// Blocks lie in reverse order; what is not a token stays NaN.
  void CopyToBlocks() {
    for (int64_t b = 0; b < c_.batch; ++b) {
      for (int64_t block = 0; block < blocks_; ++block) {
        table_.push_back(static_cast<int32_t>((b + 1) * blocks_ - 1 - block));
      }
      for (int64_t t = 0; t < c_.kv_len; ++t) {
        const int64_t block = table_[static_cast<size_t>(b * blocks_ + t / kTokensPerKvBlock)];
        for (int64_t i = 0; i < 2 * c_.kv_heads * c_.head_dim; ++i) {
          paged_.Set(block * kTokensPerKvBlock + t % kTokensPerKvBlock, i,
                     static_cast<float>(Source(b, t, KeyColumn() + i)));
        }
      }
    }
  }

  Case c_;
  int64_t tokens_;
  int64_t blocks_;
  TestRows fused_, paged_, bias_, cos_, sin_, out_;
  std::vector<int32_t> table_;
};

class CpuAttention : public EachIsa {
 protected:
  void ExpectAllRows(const Case& c) {
    Problem problem(c);
    problem.Run(GetParam(), 2);
    const bool multiplies_bf16 = c.element == Element::kBf16 && GetParam() == Isa::kAvx512Bf16;
    for (int64_t b = 0; b < c.batch; ++b) {
      for (int64_t q = 0; q < c.query_len; ++q) {
        for (int64_t h = 0; h < c.heads; ++h) problem.ExpectRow(b, q, h, multiplies_bf16);
        if (HasFatalFailure()) return;
      }
    }
  }
};

TEST_P(CpuAttention, HandlesHeadsOfAnySize) {
  for (int64_t head_dim : {1, 5, 8, 12, 15, 16, 17, 64, 72, 100, 256}) {
    for (Element element : {Element::kF32, Element::kBf16}) {
      ExpectAllRows({.query_len = 7,
                     .kv_len = 19,
                     .heads = 2,
                     .kv_heads = 2,
                     .head_dim = head_dim,
                     .element = element});
    }
  }
}

TEST_P(CpuAttention, HandlesSequencesOfAnyLength) {
  for (int64_t kv_len : {1, 2, 15, 16, 17, 63, 64, 65, 129, 257, 511, 512, 513, 528, 529, 1041}) {
    for (int64_t query_len : {1, 5, 6, 7, 47, 48, 49}) {
      for (Element element : {Element::kF32, Element::kBf16}) {
        ExpectAllRows(
            {.query_len = query_len, .kv_len = kv_len, .head_dim = 8, .element = element});
      }
    }
  }
}

TEST_P(CpuAttention, MasksWhatComesLater) {
  for (int64_t kv_len : {3, 49, 100, 300}) {
    for (int64_t query_len : {1, 7, 100}) {
      for (Element element : {Element::kF32, Element::kBf16}) {
        ExpectAllRows({.query_len = query_len,
                       .kv_len = kv_len,
                       .head_dim = 12,
                       .causal = true,
                       .element = element});
      }
    }
  }
}

TEST_P(CpuAttention, AddsTheBiasAfterScaling) {
  ExpectAllRows({.query_len = 9, .kv_len = 300, .heads = 3, .kv_heads = 3, .bias = true});
  ExpectAllRows(
      {.query_len = 50, .kv_len = 50, .causal = true, .bias = true, .element = Element::kBf16});
}

TEST_P(CpuAttention, SharesKeysAmongGroupsOfHeadsAndKeepsBatchesApart) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    ExpectAllRows({.batch = 3,
                   .query_len = 20,
                   .kv_len = 33,
                   .heads = 6,
                   .kv_heads = 2,
                   .head_dim = 16,
                   .element = element});
  }
}

TEST_P(CpuAttention, RotatesQueriesAndKeysWhileItReadsThem) {
  for (RotaryPairs pairs : {RotaryPairs::kHalves, RotaryPairs::kInterleaved}) {
    for (int64_t head_dim : {8, 12, 64}) {
      for (Element element : {Element::kF32, Element::kBf16}) {
        ExpectAllRows({.query_len = 50,
                       .kv_len = 50,
                       .heads = 2,
                       .kv_heads = 1,
                       .head_dim = head_dim,
                       .rotary = true,
                       .element = element,
                       .pairs = pairs});
      }
    }
  }
}

TEST_P(CpuAttention, ReadsKeysAndValuesFromBlocks) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    ExpectAllRows({.batch = 2,
                   .query_len = 3,
                   .kv_len = 150,
                   .heads = 4,
                   .kv_heads = 2,
                   .head_dim = 16,
                   .causal = true,
                   .paged = true,
                   .element = element});
  }
}

TEST_P(CpuAttention, LeavesOutTheTilesThatAreLeftWhenCancelled) {
  Problem problem({.query_len = 40, .kv_len = 40, .head_dim = 8});
  const std::atomic<bool> cancel = true;
  problem.Run(GetParam(), 2, &cancel);
  for (int64_t q = 0; q < 40; ++q) EXPECT_TRUE(std::isnan(problem.Result(0, q, 0)));  // unwritten
}

TEST_P(CpuAttention, KeepsLargeScoresFinite) {
  // So far apart that most queries meet a much larger score several times.
  for (Element element : {Element::kF32, Element::kBf16}) {
    ExpectAllRows(
        {.query_len = 60, .kv_len = 600, .head_dim = 64, .element = element, .spread = 30.0f});
  }
}

TEST_P(CpuAttention, GivesZeroToQueriesThatSeeNothing) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    // Nine queries over four keys: the causal mask hides every key from the first five.
    Problem problem(
        {.query_len = 9, .kv_len = 4, .head_dim = 5, .causal = true, .element = element});
    problem.Run(GetParam(), 1);
    for (int64_t q = 0; q < 5; ++q) {
      for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(problem.Result(0, q, i), 0.0f);
    }
    problem.ExpectRow(0, 5, 0, element == Element::kBf16);

    Problem no_keys({.query_len = 2, .kv_len = 0, .head_dim = 5, .element = element});
    no_keys.Run(GetParam(), 1);
    for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(no_keys.Result(0, 1, i), 0.0f);
  }
}

TEST_P(CpuAttention, GivesZeroWhereTheBiasHidesAllKeys) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    Problem problem(
        {.query_len = 20, .kv_len = 30, .head_dim = 8, .bias = true, .element = element});
    AttentionArgs args = problem.Args();
    std::vector<float> bias(20 * 30, 0.0f);
    std::fill_n(bias.begin() + 7 * 30, 30, -std::numeric_limits<float>::infinity());
    args.bias = bias.data();
    args.bias_query_stride = 30;
    std::vector<char> scratch(static_cast<size_t>(AttentionScratchBytes(GetParam(), 1, args)));
    RunAttention(GetParam(), 1, args, scratch.data());
    for (int64_t i = 0; i < 8; ++i) {
      EXPECT_EQ(problem.Result(0, 7, i), 0.0f);
      EXPECT_NE(problem.Result(0, 6, i), 0.0f);
    }
  }
}

TEST_P(CpuAttention, GivesTheSameBitsForAnyNumberOfThreadsAndAnyBatch) {
  for (Element element : {Element::kF32, Element::kBf16}) {
    const Case one = {.query_len = 197,
                      .kv_len = 300,
                      .heads = 3,
                      .kv_heads = 3,
                      .head_dim = 24,
                      .element = element};
    Case three = one;
    three.batch = 3;
    Problem alone(one), together(three), threaded(three);
    alone.Run(GetParam(), 1);
    together.Run(GetParam(), 1);
    threaded.Run(GetParam(), 7);
    for (int64_t q = 0; q < one.query_len; ++q) {
      for (int64_t i = 0; i < one.heads * one.head_dim; ++i) {
        ASSERT_EQ(alone.Result(0, q, i), together.Result(0, q, i));
        for (int64_t b = 0; b < 3; ++b) {
          ASSERT_EQ(together.Result(b, q, i), threaded.Result(b, q, i));
        }
      }
    }
  }
}

TEST_P(CpuAttention, GivesAQueryTheSameBitsInEveryPlace) {
  // The last query alone, as a decoder would ask for it, against the same one among all others,
  // whose scores lie in other ranges.
  constexpr int64_t kTokens = 301;
  for (Element element : {Element::kF32, Element::kBf16}) {
    for (bool causal : {true, false}) {
      const Case all = {.query_len = kTokens,
                        .kv_len = kTokens,
                        .head_dim = 24,
                        .causal = causal,
                        .element = element,
                        .spread = 5.0f};
      Problem together(all), alone(all);
      together.Run(GetParam(), 1);
      AttentionArgs args = alone.Args();
      args.q.data = static_cast<const char*>(args.q.data) +
                    (kTokens - 1) * args.q.token_stride * ElementBytes(element);
      args.query_len = 1;
      std::vector<char> scratch(static_cast<size_t>(AttentionScratchBytes(GetParam(), 1, args)));
      RunAttention(GetParam(), 1, args, scratch.data());
      for (int64_t i = 0; i < 24; ++i) {
        EXPECT_EQ(alone.Result(0, 0, i), together.Result(0, kTokens - 1, i));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, CpuAttention, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
