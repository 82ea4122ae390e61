#include "passes/precision_rules.h"

#include "nn/layers.h"
#include "passes/pass.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr Precision kHalf{DType::kBF16, DType::kBF16, DType::kBF16};
constexpr Precision kFull{};

TEST(GlobMatches, TheWholeTextOnly) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
  EXPECT_TRUE(GlobMatches("encoder.*.query", "encoder.layer.0.attention.query"));
  EXPECT_FALSE(GlobMatches("encoder.*.query", "encoder.layer.0.attention.query.weight"));
  EXPECT_FALSE(GlobMatches("layer", "layer.0"));
  EXPECT_TRUE(GlobMatches("layer.?", "layer.3"));
  EXPECT_FALSE(GlobMatches("layer.?", "layer.13"));
  EXPECT_FALSE(GlobMatches("layer.?", "layer."));
  EXPECT_TRUE(GlobMatches("*a*b*", "xxaxxabxx"));
  EXPECT_TRUE(GlobMatches("a**b", "ab"));
  EXPECT_FALSE(GlobMatches("*aab", "aaab "));
  EXPECT_TRUE(GlobMatches("*aab", "aaab"));
}

TEST(GlobMatches, InTimeThatStaysSmallForHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(20'000, 'a')));
}

TEST(PresetRules, StoreWeightsAloneInEightBitsForInt8) {
  const PrecisionRules rules = PresetRules("int8", {"head"}, {"decoder.*"});
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].precision, (Precision{DType::kI8, DType::kBF16, DType::kBF16}));
  EXPECT_EQ(rules[1].precision, kFull);
  EXPECT_EQ(rules[2].precision, (Precision{DType::kI8, DType::kF32, DType::kF32}));
}

TEST(PresetRules, KnowF32AndBf16) {
  EXPECT_TRUE(PresetRules("f32", {"*"}).empty());
  const PrecisionRules rules = PresetRules("bf16", {"classifier", "pooler.*"});
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].pattern, "*");
  EXPECT_EQ(rules[0].precision, kHalf);
  EXPECT_EQ(rules[2].pattern, "pooler.*");
  EXPECT_EQ(rules[2].precision, kFull);
  try {
    PresetRules("fp16", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("unknown dtype 'fp16'"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("use f32, bf16 or int8"));
  }
}

Precision PrecisionUnder(const PrecisionRules& rules, const std::string& name) {
  Graph graph("rules");
  const Value x = graph.Input("x", DType::kF32, {2, 8});
  Value h = nn::Linear(x, Path("mlp.fc1"), 8);
  graph.AddAlias(h, "mlp.c_fc");
  h = nn::Activate(h, ActivationKind::kRelu, Path("mlp.act"));
  graph.MarkOutput(nn::Linear(h, Path("mlp.fc2"), 8), "y");
  AssignPrecision(graph, {.rules = rules, .wanted = {}, .can_emit = {}});
  return graph.producer(graph.Find(name))->precision;
}

TEST(AssignPrecision, LetsTheLastMatchingRuleWin) {
  EXPECT_EQ(PrecisionUnder({{"*", kHalf}, {"mlp.fc2", kFull}}, "mlp.fc2"), kFull);
  EXPECT_EQ(PrecisionUnder({{"*", kHalf}, {"mlp.fc2", kFull}}, "mlp.fc1"), kHalf);
  EXPECT_EQ(PrecisionUnder({{"mlp.fc2", kFull}, {"*", kHalf}}, "mlp.fc2"), kHalf);
  EXPECT_EQ(PrecisionUnder({}, "mlp.fc2"), kFull);
}

TEST(AssignPrecision, MatchesAliasesToo) {
  EXPECT_EQ(PrecisionUnder({{"mlp.c_fc", kHalf}}, "mlp.fc1"), kHalf);
  EXPECT_EQ(PrecisionUnder(PresetRules("bf16", {"mlp.c_fc"}), "mlp.fc1"), kFull);
}

TEST(AssignPrecision, LeavesNodesThatMultiplyNothingInF32) {
  EXPECT_EQ(PrecisionUnder({{"*", kHalf}}, "mlp.act"), kFull);
}

}  // namespace
}  // namespace vernier
