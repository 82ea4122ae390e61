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

}  // namespace
}  // namespace vernier
