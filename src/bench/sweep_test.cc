#include "bench/sweep.h"

#include "vernier/error.h"

namespace vernier {
namespace {

using testing::ElementsAre;

TEST(Sweep, ReadsListsRangesStepsAndFactors) {
  EXPECT_THAT(ParseSweep("1,4,8"), ElementsAre(1, 4, 8));
  EXPECT_THAT(ParseSweep("2-4"), ElementsAre(2, 3, 4));
  EXPECT_THAT(ParseSweep("8-32+8"), ElementsAre(8, 16, 24, 32));
  EXPECT_THAT(ParseSweep("1-20*2,100"), ElementsAre(1, 2, 4, 8, 16, 100));
}

TEST(Sweep, NamesThePartItCannotRead) {
  for (const char* text :
       {"", "0", "-1", "1,,2", "a", "4-1", "1-4*1", "1-4+", "9999999999", "1.5"}) {
    try {
      ParseSweep(text);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.message(), testing::HasSubstr("expected positive whole numbers, found"));
    }
  }
}

TEST(Sweep, RefusesListsThatNobodyMeant) {
  try {
    ParseSweep("1-1000000");
    FAIL() << "accepted a million values";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "more than 1000 values in a list");
  }
}

}  // namespace
}  // namespace vernier
