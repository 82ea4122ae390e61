#include "report/text_diff.h"

#include <gtest/gtest.h>

namespace vernier {
namespace {

std::string Marked(std::string_view reference, std::string_view candidate) {
  std::string text;
  for (const DiffPart& part : DiffWords(reference, candidate)) {
    switch (part.kind) {
      case DiffKind::kSame:
        text += part.text;
        break;
      case DiffKind::kOnlyReference:
        text += "[-" + part.text + "-]";
        break;
      case DiffKind::kOnlyCandidate:
        text += "[+" + part.text + "+]";
        break;
    }
  }
  return text;
}

TEST(DiffWords, MarksTheWordThatChanged) {
  EXPECT_EQ(Marked("the value is 42 now", "the value is 43 now"), "the value is [-42-][+43+] now");
}

TEST(DiffWords, LeavesEqualTextsUnmarked) {
  EXPECT_EQ(Marked("a  b\nc", "a  b\nc"), "a  b\nc");
  EXPECT_EQ(Marked("", ""), "");
}

TEST(DiffWords, TakesEmptySides) {
  EXPECT_EQ(Marked("", "new words"), "[+new words+]");
  EXPECT_EQ(Marked("old words", ""), "[-old words-]");
}

TEST(DiffWords, ComparesVeryLongTextsAsAWhole) {
  std::string longer;
  for (int i = 0; i < 3000; ++i) longer += "word ";
  const auto parts = DiffWords(longer, longer + "more");
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].kind, DiffKind::kOnlyReference);
  EXPECT_EQ(parts[1].text, longer + "more");
}

}  // namespace
}  // namespace vernier
