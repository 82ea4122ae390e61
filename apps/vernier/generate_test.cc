#include "generate.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "help.h"
#include "verb.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::HasSubstr;

// In a man page every dash is written \-, so that it can be searched and copied.
std::string WithRoffDashes(std::string_view text) {
  std::string escaped;
  for (char c : text) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
  return escaped;
}

bool HasProgram(const char* name) {
  return std::system(fmt::format("command -v {} > /dev/null 2>&1", name).c_str()) == 0;
}

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  for (size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;)
    output.append(buffer, n);
  pclose(pipe);
  return output;
}

std::string FileWith(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(Generate, NamesEveryVerbAndFlagInEveryKind) {
  const std::string man = Generate("man");
  const std::string bash = Generate("bash");
  const std::string zsh = Generate("zsh");
  for (const Verb& verb : Verbs()) {
    const std::string help = HelpText(verb);
    EXPECT_THAT(OverviewText(), HasSubstr(verb.summary));
    const Invocation invocation = verb.start();
    for (const Flag& flag : invocation.flags) {
      EXPECT_THAT(help, HasSubstr(flag.name));
      EXPECT_THAT(man, HasSubstr(WithRoffDashes(flag.name)));
      if (flag.IsPositional()) continue;
      EXPECT_THAT(bash, HasSubstr(flag.name));
      EXPECT_THAT(zsh, HasSubstr(flag.name));
    }
  }
}

TEST(Generate, RefusesOtherKinds) {
  try {
    Generate("fish");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "--generate: expected man, bash or zsh, found 'fish'");
  }
}

TEST(Verbs, HaveDistinctFlagsWithHelpAndLowerCaseNames) {
  for (const Verb& verb : Verbs()) {
    EXPECT_FALSE(verb.examples.empty()) << verb.name;
    std::vector<std::string_view> names;
    const Invocation invocation = verb.start();
    for (const Flag& flag : invocation.flags) {
      EXPECT_THAT(names, testing::Not(testing::Contains(flag.name)));
      names.push_back(flag.name);
      EXPECT_TRUE(flag.help.ends_with(".")) << flag.name;
      EXPECT_EQ(flag.IsSwitch(), flag.metavar.empty()) << flag.name;
      if (flag.IsPositional()) continue;
      EXPECT_THAT(std::string(flag.name), testing::MatchesRegex("--[a-z][a-z0-9-]*"));
    }
  }
}

TEST(Verbs, FillNoLineOfHelpBeyondTheWidthOfATerminal) {
  for (const Verb& verb : Verbs()) {
    const std::string help = HelpText(verb);
    for (size_t begin = 0; begin < help.size();) {
      const size_t end = help.find('\n', begin);
      EXPECT_LE(end - begin, 100u) << help.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST(Generate, WritesAManPageThatGroffAccepts) {
  if (!HasProgram("groff")) GTEST_SKIP() << "groff is not installed";
  const std::string page = FileWith("vernier_test.1", Generate("man"));
  EXPECT_EQ(OutputOf("groff -man -Tutf8 -ww -z " + page + " 2>&1"), "");
}

TEST(Generate, WritesABashCompletionThatOffersVerbsFlagsAndChoices) {
  if (!HasProgram("bash")) GTEST_SKIP() << "bash is not installed";
  const std::string file = FileWith("vernier_test.bash", Generate("bash"));
  const auto complete = [&](const std::string& words, int index) {
    return OutputOf(
        fmt::format("bash -c 'source {}; COMP_WORDS=({}); COMP_CWORD={}; _vernier; "
                    "echo \"${{COMPREPLY[@]}}\"' 2>&1",
                    file, words, index));
  };
  EXPECT_EQ(complete("vernier doc", 1), "doctor\n");
  EXPECT_EQ(complete("vernier doctor --js", 2), "--json\n");
  EXPECT_EQ(complete("vernier --generate z", 2), "zsh\n");
  EXPECT_EQ(complete("vernier help doc", 2), "doctor\n");
}

TEST(Generate, WritesAZshCompletionThatZshCanRead) {
  if (!HasProgram("zsh")) GTEST_SKIP() << "zsh is not installed";
  const std::string file = FileWith("_vernier_test", Generate("zsh"));
  EXPECT_EQ(OutputOf("zsh -n " + file + " 2>&1"), "");
}

}  // namespace
}  // namespace vernier
