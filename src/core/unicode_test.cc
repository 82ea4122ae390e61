#include "core/unicode.h"

#include <string>

namespace vernier {
namespace {

// Expected values are Python 3.11's.
TEST(LowerCase, MapsLikePythonsLower) {
  EXPECT_EQ(LowerCase(""), "");
  EXPECT_EQ(LowerCase("ÅNGSTRÖM Straße"), "ångström straße");
  EXPECT_EQ(LowerCase("\u0130"), "i\u0307");
  EXPECT_EQ(LowerCase("\u212A"), "k");
  EXPECT_EQ(LowerCase("ДОМ ΑΒΓ"), "дом αβγ");
}

TEST(LowerCase, EndsAWordWithFinalSigma) {
  EXPECT_EQ(LowerCase("ΟΔΟΣ"), "οδος");
  EXPECT_EQ(LowerCase("Σ"), "σ");
  EXPECT_EQ(LowerCase("ΑΣ'Α"), "ασ'α");
}

TEST(LowerCase, GrowsWhereLowerCaseIsLonger) {
  std::string dotted, expected;
  for (int i = 0; i < 100; ++i) {
    dotted += "\u0130";
    expected += "i\u0307";
  }
  EXPECT_EQ(LowerCase(dotted), expected);
}

TEST(CodePoints, CountsEachBadByteAsAReplacementCharacter) {
  EXPECT_EQ(CodePoints("aé日😀"), U"aé日😀");
  EXPECT_EQ(CodePoints("a\xFF\xC3"), U"a\uFFFD\uFFFD");
}

TEST(IsSpace, KnowsPythonsTwentyNineSpaces) {
  int spaces = 0;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) spaces += IsSpace(code);
  EXPECT_EQ(spaces, 29);
  EXPECT_TRUE(IsSpace(0x1C));
  EXPECT_TRUE(IsSpace(0x3000));
  EXPECT_FALSE(IsSpace(0x200B));
}

TEST(IsPythonWord, FollowsRegularExpressions) {
  for (char32_t c : U"aZ_9\u00e9\u03a9\u4e2d\u0663\u00b2\u00bd\u2167\u3007") {
    if (c == 0) continue;  // the literal's end
    EXPECT_TRUE(IsPythonWord(c)) << static_cast<uint32_t>(c);
  }
  for (char32_t c : U" -.\u00a0\u2014\u0301\u20ac\U0001F600") {
    EXPECT_FALSE(IsPythonWord(c)) << static_cast<uint32_t>(c);
  }
}

TEST(DecimalDigit, ReadsDigitsOfAnyScript) {
  EXPECT_EQ(DecimalDigit(U'7'), 7);
  EXPECT_EQ(DecimalDigit(0x0661), 1);   // Arabic-Indic one
  EXPECT_EQ(DecimalDigit(0x00B2), -1);  // superscript two is no decimal digit
  EXPECT_EQ(DecimalDigit(U'a'), -1);
}

}  // namespace
}  // namespace vernier
