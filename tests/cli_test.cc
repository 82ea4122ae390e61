// The command as a user meets it: exit code, last line on standard error, messages.

#include "support/command.h"

namespace vernier {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

TEST(Command, SaysItsVersionAndNothingElse) {
  const SpawnResult result = Vernier({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, MatchesRegex("vernier [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_EQ(result.errors, "");
}

TEST(Command, ShowsTheVerbsWhenAskedNothing) {
  const SpawnResult result = Vernier({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("doctor"));
  EXPECT_EQ(result.output, Vernier({"help"}).output);
  EXPECT_EQ(result.output, Vernier({"--help"}).output);
}

TEST(Command, AlignsTheHelpOfFlagsThatTakeSeveralValues) {
  const std::string help = Vernier({"run", "--help"}).output;
  const std::string one = "\n  --pages LIST              Pages of";
  const std::string several = "\n  --image FILE…             Pictures:";
  EXPECT_THAT(help, HasSubstr(one));
  EXPECT_THAT(help, HasSubstr(several));
}

TEST(Command, ShowsOneVerbsHelpHoweverItIsAsked) {
  const SpawnResult result = Vernier({"help", "doctor"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("Examples"));
  EXPECT_EQ(result.output, Vernier({"doctor", "--help"}).output);
  EXPECT_EQ(result.output, Vernier({"doctor", "-h"}).output);
}

TEST(Command, EndsWithOneOutcomeLineOnStandardError) {
  const SpawnResult result = Vernier({"doctor"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.LastErrorLine(), MatchesRegex("PASSED \\| [0-9.]+ s \\| vernier doctor"));
}

TEST(Command, SuggestsTheVerbThatWasMeant) {
  const SpawnResult result = Vernier({"doctro"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("error: unknown verb 'doctro'\nhint: did you mean doctor?"));
  EXPECT_THAT(result.LastErrorLine(), StartsWith("FAILED | "));
}

TEST(Command, SuggestsTheFlagThatWasMeant) {
  const SpawnResult result = Vernier({"doctor", "--jsno", "-"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("hint: did you mean --json?"));
}

TEST(Command, ShowsEverySettingWithItsSource) {
  EXPECT_EQ(Vernier({"doctor", "--print-config", "--json", "a"}).output, "--json = a  (flag)\n");
  EXPECT_EQ(Vernier({"doctor", "--print-config"}, {.environment = {"VERNIER_JSON=b"}}).output,
            "--json = b  (environment VERNIER_JSON)\n");
}

TEST(Command, UsesNoColoursAwayFromATerminal) {
  const SpawnResult result = Vernier({"doctor"}, {.environment = {"TERM=xterm-256color"}});
  EXPECT_THAT(result.output + result.errors, Not(HasSubstr("\x1b")));
}

TEST(Command, PrintsNumbersTheSameInEveryLocale) {
  const SpawnResult result =
      Vernier({"doctor", "--json", "-"}, {.environment = {"LC_ALL=de_DE.UTF-8"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.LastErrorLine(), MatchesRegex("PASSED \\| [0-9]+\\.[0-9]+ s \\| .*"));
}

TEST(Command, TakesHugeAndBinaryArgumentsWithoutHarm) {
  constexpr size_t kLongestArgument = 128 << 10;  // the kernel's bound for one argument
  const SpawnResult huge = Vernier({"doctor", "--json", std::string(kLongestArgument - 1, 'x')});
  EXPECT_EQ(huge.exit_code, 2);
  EXPECT_LT(huge.errors.size(), 5000u);
  const SpawnResult binary = Vernier({"doctor", "\xFF\xFE\x1b[31m"});
  EXPECT_EQ(binary.exit_code, 2);
  EXPECT_THAT(binary.errors, HasSubstr("\\xff\\xfe\\x1b[31m"));
}

TEST(Command, ReportsAFullDiskBehindStandardOutput) {
  const SpawnResult result = Vernier({"doctor"}, {.standard_output = "/dev/full"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.errors, HasSubstr("cannot write to standard output: No space left on device"));
}

TEST(Command, NamesTheFileThatItCannotWrite) {
  const SpawnResult result = Vernier({"doctor", "--json", "/nonexistent/report.json"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("/nonexistent/report.json"));
}

}  // namespace
}  // namespace vernier
