#include "metrics/instance_matching.h"

namespace vernier {
namespace {

Instance At(float left, int64_t category, float score = 0.5F) {
  return {.category = category, .score = score, .box = {left, 0, left + 10, 10}};
}

std::vector<std::pair<int64_t, int64_t>> Pairs(const std::vector<Instance>& reference,
                                               const std::vector<Instance>& candidate) {
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (const InstancePair& pair : MatchInstances(reference, candidate)) {
    pairs.emplace_back(pair.reference, pair.candidate);
  }
  return pairs;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(MatchInstances, TakesTheNearestOfTheClassThatIsFree) {
  EXPECT_THAT(Pairs({At(0, 1), At(1, 1)}, {At(2, 1), At(1, 1), At(0, 2)}),
              ElementsAre(Pair(0, 1), Pair(1, 0)));
}

TEST(MatchInstances, NeedsHalfAnOverlap) {
  EXPECT_THAT(Pairs({At(0, 1)}, {At(4, 1)}), IsEmpty());
  EXPECT_THAT(Pairs({At(0, 1)}, {At(3, 1)}), ElementsAre(Pair(0, 0)));
  EXPECT_THAT(Pairs({}, {At(0, 1)}), IsEmpty());
}

}  // namespace
}  // namespace vernier
