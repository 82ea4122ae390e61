#include "models/pix2struct/text_wrap.h"

#include "core/unicode.h"
#include "io/json.h"

namespace vernier {
namespace {

std::vector<std::u32string> Expected(const Json& lines) {
  std::vector<std::u32string> expected;
  for (const Json& line : lines.items()) expected.push_back(CodePoints(line.AsString()));
  return expected;
}

TEST(WrapText, BreaksLinesAsPythonDoes) {
  const Json golden =
      Json::ParseFile(VERNIER_TEST_DATA "/goldens/pix2struct/pictures/case.json").Get("wrap");
  for (const Json& c : golden.GetArray("cases").items()) {
    SCOPED_TRACE(c.GetString("text"));
    EXPECT_EQ(WrapText(c.GetString("text"), 80), Expected(c.GetArray("lines")));
  }
}

// Lines that python3.11 -c 'import textwrap; print(textwrap.wrap(…, 10))' gives.
TEST(WrapText, KeepsTheQuirksOfFullLinesAndOddSpaces) {
  const std::pair<const char*, std::vector<std::u32string>> cases[] = {
      {"aaaaaaaaa bbbbbbbbbbbbbb", {U"aaaaaaaaa ", U"bbbbbbbbbb", U"bbbb"}},
      {"a \xc2\xa0 b", {U"a \u00a0 b"}},
      {"abcdefghi \xc2\xa0 b", {U"abcdefghi", U" b"}},
      {"-- --- ----------- x", {U"-- --- ---", U"-------- x"}},
      {"a-b-c-d-e-f-g-h-i", {U"a-b-c-d-e-", U"f-g-h-i"}},
      {"\t\xe4\xbd\xa0\xe5\xa5\xbd-\xe4\xb8\x96\xe7\x95\x8c", {U"你好-世界"}},
  };
  for (const auto& [text, lines] : cases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(WrapText(text, 10), lines);
  }
}

}  // namespace
}  // namespace vernier
