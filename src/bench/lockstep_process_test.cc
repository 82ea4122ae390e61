#include "bench/lockstep_process.h"

#include <cstdlib>

#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

LockstepProcess Shell(const std::string& script) { return LockstepProcess({"sh", "-c", script}); }

TEST(LockstepProcess, AnswersOncePerLine) {
  LockstepProcess process = Shell("while read line; do echo 1.5; done");
  EXPECT_EQ(process.Run(), 1.5);
  EXPECT_EQ(process.Run(), 1.5);
}

TEST(LockstepProcess, LaysVariablesOverItsOwnEnvironment) {
  ASSERT_EQ(setenv("VERNIER_TEST_A", "1", 1), 0);
  ASSERT_EQ(setenv("VERNIER_TEST_B", "2", 1), 0);
  LockstepProcess process(
      {"sh", "-c", "while read line; do echo $VERNIER_TEST_A$VERNIER_TEST_B; done"},
      {"VERNIER_TEST_B=7"});
  EXPECT_EQ(process.Run(), 17);
}

TEST(LockstepProcess, NamesAProgramThatIsNotThere) {
  EXPECT_THAT(MessageOf([] { LockstepProcess({"/no/such/vernier"}); }),
              HasSubstr("cannot start /no/such/vernier: No such file"));
}

TEST(LockstepProcess, SaysHowAProgramEnded) {
  LockstepProcess ended = Shell("exit 2");
  EXPECT_EQ(MessageOf([&] { ended.Run(); }), "sh ended with exit code 2");
  LockstepProcess killed = Shell("read line; kill -9 $$");
  EXPECT_EQ(MessageOf([&] { killed.Run(); }), "sh ended with signal 9");
}

TEST(LockstepProcess, RefusesAnAnswerThatIsNoTime) {
  for (const char* answer : {"hello", "-1", "0", "nan", "1.5ms"}) {
    LockstepProcess process = Shell(std::string("while read line; do echo ") + answer + "; done");
    EXPECT_EQ(MessageOf([&] { process.Run(); }),
              std::string("sh: expected milliseconds, found '") + answer + "'");
  }
}

}  // namespace
}  // namespace vernier
