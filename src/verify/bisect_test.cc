#include "verify/bisect.h"

#include <algorithm>
#include <set>

#include "io/npy.h"
#include "verify/own_error.h"
#include "verify/setting_comparison.h"

namespace vernier {
namespace {

using Names = std::vector<std::string>;

Names Numbered(int count) {
  Names names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

TEST(SmallestPassing, FindsTheNodesThatAreNeededTogether) {
  const std::set<std::string> needed = {"3", "17", "38"};
  int trials = 0;
  const Names found = SmallestPassing(Numbered(40), [&](const Names& kept) {
    ++trials;
    return std::ranges::all_of(
        needed, [&](const auto& name) { return std::ranges::count(kept, name) > 0; });
  });
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), needed);
  EXPECT_LT(trials, 60);  // of 2^40 sets
}

TEST(SmallestPassing, LooksNoFurtherThanARankingThatIsRight) {
  int trials = 0;
  const Names found = SmallestPassing(Numbered(1000), [&](const Names& kept) {
    ++trials;
    return std::ranges::count(kept, "0") > 0;
  });
  EXPECT_EQ(found, Names{"0"});
  EXPECT_EQ(trials, 2);  // nothing kept, and the first
}

TEST(SmallestPassing, KeepsNothingWhereNothingIsNeeded) {
  EXPECT_TRUE(SmallestPassing(Numbered(5), [](const Names&) { return true; }).empty());
}

TEST(SmallestPassing, KeepsEverythingWhereAllIsNeeded) {
  const Names all = Numbered(7);
  EXPECT_EQ(SmallestPassing(all, [&](const Names& kept) { return kept.size() == 7; }), all);
}

// A gate on the first layer's attention scores alone: what makes queries and keys must stay f32,
// whatever the rest does.
TEST(Bisect, KeepsTheNodesThatAGateOnOneTensorNeeds) {
  const std::string model = std::string(VERNIER_TEST_DATA) + "/goldens/vit/base_detail";
  SettingComparisonRequest request;
  request.candidate = {.words = "bf16", .options = {.model = model, .dtype = "bf16", .threads = 1}};
  request.reference = {{.words = "f32", .options = {.model = model, .threads = 1}}};
  request.inputs.emplace("pixel_values", ReadNpy(model + "/pixel_values.npy"));
  SettingComparer comparer(request);
  const std::string gated = "encoder.layer.0.attention.attention.query";
  const auto judge = [&](Comparison& comparison) {
    const auto found = std::ranges::find(comparison.tensors, gated, &TensorComparison::name);
    ASSERT_NE(found, comparison.tensors.end());
    comparison.verdict.kind =
        found->accumulated.rel_euclidean < 1e-5 ? VerdictKind::kPassed : VerdictKind::kFailed;
  };
  const Bisection found = Bisect(comparer, judge);
  EXPECT_FALSE(found.passed_before);
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.comparison.verdict.kind, VerdictKind::kPassed);
  // The product itself and the only one in front of it.
  const std::set<std::string> kept(found.kept.begin(), found.kept.end());
  EXPECT_TRUE(kept.contains(gated));
  EXPECT_TRUE(kept.contains("embeddings.patch_embeddings"));
  EXPECT_LE(kept.size(), 4u);
  EXPECT_GT(found.candidates, 10u);
  // None of them can be left out.
  for (const std::string& name : found.kept) {
    PrecisionRules rules = comparer.candidate().rules();
    for (const std::string& other : found.kept) {
      if (other != name) rules.push_back({other, {}});
    }
    Comparison without = comparer.RunWith(rules);
    judge(without);
    EXPECT_EQ(without.verdict.kind, VerdictKind::kFailed) << name;
  }
}

}  // namespace
}  // namespace vernier
