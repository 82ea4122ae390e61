#include "outcome.h"

#include <new>

#include "vernier/error.h"

namespace vernier {
namespace {

using testing::HasSubstr;

template <typename Exception>
Outcome Caught(const Exception& exception) {
  Terminal terminal;
  try {
    throw exception;
  } catch (...) {
    return OutcomeOfException(terminal);
  }
}

TEST(OutcomeLine, EchoesTheCommandSoThatItCanBePasted) {
  const std::vector<std::string> words = {"vernier", "run", "--image", "my photo's.png"};
  EXPECT_EQ(OutcomeLine({}, 1.234, words),
            "PASSED | 1.23 s | vernier run --image 'my photo'\\''s.png'");
}

TEST(OutcomeLine, PutsTheReasonOnOneLine) {
  const std::vector<std::string> words = {"vernier"};
  EXPECT_EQ(OutcomeLine({.exit_code = 2, .reason = "no\nsuch file"}, 0, words),
            "FAILED | 0.00 s | no such file | vernier");
  EXPECT_THAT(OutcomeLine({.exit_code = 3}, 0, words), HasSubstr("INCONCLUSIVE"));
  EXPECT_THAT(OutcomeLine({.exit_code = 130}, 0, words), HasSubstr("INTERRUPTED"));
}

TEST(OutcomeLine, EscapesBytesThatNoTerminalShouldSee) {
  const std::vector<std::string> words = {"vernier", "\xFF\x1b[31m", ""};
  EXPECT_EQ(OutcomeLine({}, 0, words), "PASSED | 0.00 s | vernier $'\\xff\\x1b[31m' ''");
}

TEST(OutcomeLine, StaysShortWithHugeArguments) {
  const std::vector<std::string> words = {"vernier", "run", std::string(1 << 20, 'x'), "after"};
  EXPECT_LT(OutcomeLine({.reason = std::string(1 << 20, 'y')}, 0, words).size(), 1000u);
}

TEST(Outcome, HasAnExitCodeForEveryKindOfError) {
  EXPECT_EQ(Caught(Error(ErrorKind::kUsage, "a")).exit_code, 2);
  EXPECT_EQ(Caught(Error(ErrorKind::kInput, "a")).exit_code, 2);
  EXPECT_EQ(Caught(Error(ErrorKind::kDevice, "a")).exit_code, 4);
  EXPECT_EQ(Caught(Error(ErrorKind::kResource, "a")).exit_code, 4);
  EXPECT_EQ(Caught(Error(ErrorKind::kInternal, "a")).exit_code, 5);
  EXPECT_EQ(Caught(Error(ErrorKind::kInterrupted, "a")).exit_code, 130);
}

TEST(Outcome, CallsMemoryThatRanOutAFailureOfTheMachine) {
  const Outcome outcome = Caught(std::bad_alloc());
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_EQ(outcome.reason, "memory ran out");
}

TEST(Outcome, CallsUnknownExceptionsAFaultOfOurs) {
  EXPECT_EQ(Caught(std::runtime_error("surprise")).exit_code, 5);
}

}  // namespace
}  // namespace vernier
