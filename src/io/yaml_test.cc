#include "io/yaml.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

std::string Read(std::string_view text) { return ParseYaml(text, "some.yaml").Compact(); }

std::string Refusal(std::string_view text, const JsonLimits& limits = {}) {
  return MessageOf([&] { ParseYaml(text, "some.yaml", limits); });
}

TEST(Yaml, ReadsMappingsSequencesAndComments) {
  EXPECT_EQ(Read("MODEL:\n  DEPTH: 50  # layers\n  MEAN: [1.5, 2]\n  LIST:\n  - a\n  - b: c\n"),
            R"({"MODEL": {"DEPTH": 50, "MEAN": [1.5, 2], "LIST": ["a", {"b": "c"}]}})");
  EXPECT_EQ(Read("{a: 1, b: {c: []}}"), R"({"a": 1, "b": {"c": []}})");
  EXPECT_EQ(Read(""), "null");
}

TEST(Yaml, ReadsPlainScalarsAsPyYamlDoes) {
  EXPECT_EQ(Read("[yes, No, ON, false, ~, null, Null]"),
            "[true, false, true, false, null, null, null]");
  EXPECT_EQ(Read("[12, -3, +4, 0x1f, 0b11, 010, 1_000]"), "[12, -3, 4, 31, 3, 8, 1000]");
  EXPECT_EQ(Read("[-1.5, .25, 2., 1e-3, 6.5e+2]"), "[-1.5, 0.25, 2, 0.001, 650]");
  EXPECT_EQ(Read("[nay, .inf, .nan, 1.2.3, '12', \"true\", --3, 1e999, 0x]"),
            R"(["nay", ".inf", ".nan", "1.2.3", "12", "true", "--3", "1e999", "0x"])");
  EXPECT_EQ(Read("!!str 12"), "\"12\"");
}

TEST(Yaml, KeepsKeysThatLookLikeOtherTypes) {
  EXPECT_EQ(Read("on: 1\n3: 2"), R"({"on": 1, "3": 2})");
}

TEST(Yaml, CopiesWhatAnAliasStandsFor) {
  EXPECT_EQ(Read("a: &x {b: 1}\nc: *x\nd: [*x, *x]"),
            R"({"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]})");
}

TEST(Yaml, ValuesKnowTheirPlace) {
  EXPECT_EQ(ParseYaml("MODEL: {FCOS: {NORM: 3}}", "some.yaml")
                .GetObject("MODEL")
                .GetObject("FCOS")
                .Where("NORM"),
            "some.yaml: MODEL.FCOS.NORM");
}

TEST(Yaml, SaysWhereTheSyntaxIsWrong) {
  EXPECT_THAT(Refusal("a: [1, 2"), HasSubstr("some.yaml: not usable YAML: line "));
  EXPECT_THAT(Refusal("a: 1\n\tb: 2"), HasSubstr("line 2, column 1"));
  EXPECT_THAT(Refusal("a: \xff\xfe"), HasSubstr("not usable YAML"));
  EXPECT_THAT(Refusal(std::string_view("a\0b", 3)), HasSubstr("not usable YAML"));
}

TEST(Yaml, RefusesWhatHasNoCounterpart) {
  EXPECT_THAT(Refusal("a: 1\na: 2"), HasSubstr("line 2, column 1: the key a stands here twice"));
  EXPECT_THAT(Refusal("? [a, b]\n: 1"), HasSubstr("a key must be a word"));
  EXPECT_THAT(Refusal("a: &x {b: 1}\nc: {<<: *x}"), HasSubstr("merge keys (<<)"));
  EXPECT_THAT(Refusal("a: *x"), HasSubstr("the alias *x stands for nothing that is complete"));
  EXPECT_THAT(Refusal("a: &x [*x]"), HasSubstr("the alias *x stands for nothing"));
  EXPECT_THAT(Refusal("--- 1\n--- 2"), HasSubstr("more than one document"));
  EXPECT_THAT(Refusal("a: !!python/object/apply:os.system [ls]"),
              HasSubstr("the tag tag:yaml.org,2002:python/object/apply:os.system is not read"));
  EXPECT_THAT(Refusal("a: !!binary aGVsbG8="), HasSubstr("is not read here"));
}

TEST(Yaml, BoundsDepthAndWhatAliasesExpandTo) {
  EXPECT_THAT(Refusal(std::string(300, '[')), HasSubstr("nested deeper than 200 levels"));
  EXPECT_THAT(Refusal(std::string(100'000, '[')), HasSubstr("nested deeper than 200 levels"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += "*a" + std::to_string(i - 1) + (j < 9 ? ", " : "]\n");
  }
  EXPECT_THAT(Refusal(bomb, {.max_values = 100'000}), HasSubstr("more than 100000 values"));
  std::string chain = "- &a0 [x]\n";
  for (int i = 1; i < 300; ++i) {
    chain += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(Refusal(chain), HasSubstr("nested deeper than 200 levels"));
}

}  // namespace
}  // namespace vernier
