#include "core/suggest.h"

#include <vector>

namespace vernier {
namespace {

TEST(Suggest, CountsASwapAsOneEdit) {
  EXPECT_EQ(EditDistance("modle", "model"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(Suggest, FindsTheNearestNameOrNone) {
  const std::vector<std::string_view> verbs = {"run", "bench", "inspect", "doctor"};
  EXPECT_EQ(Nearest("bnech", verbs), "bench");
  EXPECT_EQ(Nearest("rnu", verbs), "run");
  EXPECT_EQ(Nearest("export", verbs), "");
  EXPECT_EQ(Nearest(std::string(100000, 'a'), verbs), "");
}

TEST(Suggest, FindsTheNearestFewInOrder) {
  const std::vector<std::string_view> nodes = {"layer.1.query", "layer.12.query", "layer.2.key",
                                               "layer.2.query", "head"};
  EXPECT_EQ(NearestFew("layer.2.qeury", nodes, 3),
            (std::vector<std::string_view>{"layer.2.query", "layer.1.query", "layer.12.query"}));
  EXPECT_TRUE(NearestFew("pooler", nodes, 3).empty());
}

}  // namespace
}  // namespace vernier
