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

TEST(LockstepProcess, ThrowsTheErrorThatAProgramTellsBeforeItEnds) {
  LockstepProcess process = Shell(
      "exec >&2; echo warning: slow; echo error: folder: no config.json,; echo no "
      "model.safetensors;"
      "echo hint: give a folder that has both; echo 'FAILED | 0.01 s | sh'; exit 2");
  try {
    process.Run();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.message(), "folder: no config.json,\nno model.safetensors");
    EXPECT_EQ(error.hint(), "give a folder that has both");
  }
}

TEST(LockstepProcess, TakesTheErrorsKindFromTheExitCode) {
  const std::pair<const char*, ErrorKind> kinds[] = {{"2", ErrorKind::kInput},
                                                     {"4", ErrorKind::kDevice},
                                                     {"5", ErrorKind::kInternal},
                                                     {"130", ErrorKind::kInterrupted},
                                                     {"77", ErrorKind::kDevice}};
  for (const auto& [code, kind] : kinds) {
    LockstepProcess process = Shell(std::string("echo error: it >&2; exit ") + code);
    EXPECT_EQ(KindOf([&] { process.Run(); }), kind) << code;
  }
}

TEST(LockstepProcess, RepeatsTheLastLineOfAProgramThatTellsNoError) {
  LockstepProcess process = Shell("echo one >&2; echo libgomp: no threads >&2; exit 1");
  EXPECT_EQ(MessageOf([&] { process.Run(); }), "sh ended with exit code 1: libgomp: no threads");
}

TEST(LockstepProcess, KeepsTheEndOfManyErrors) {
  LockstepProcess process = Shell("yes | head -n 200000 >&2; echo error: last >&2; exit 2");
  EXPECT_EQ(MessageOf([&] { process.Run(); }), "last");
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
