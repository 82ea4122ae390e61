#include "io/csv.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(Csv, ReadsQuotesLineBreaksAndBothLineEndings) {
  const Csv csv = Csv::Parse(
      "\xef\xbb\xbf"
      "File,Label\r\n\"a,b.png\",\"say \"\"hi\"\"\"\r\n\nc.png,\"two\nlines\"\nd.png,",
      "labels.csv");
  EXPECT_THAT(csv.heading(), ElementsAre("File", "Label"));
  ASSERT_THAT(csv.rows(), SizeIs(3));
  EXPECT_THAT(csv.rows()[0].fields, ElementsAre("a,b.png", "say \"hi\""));
  EXPECT_EQ(csv.rows()[1].line, 4);
  EXPECT_THAT(csv.rows()[1].fields, ElementsAre("c.png", "two\nlines"));
  EXPECT_EQ(csv.rows()[2].line, 6);
  EXPECT_THAT(csv.rows()[2].fields, ElementsAre("d.png", ""));
}

TEST(Csv, FindsColumnsByAnyOfTheirNames) {
  const Csv csv = Csv::Parse("IMAGE,label\n", "x.csv");
  constexpr std::string_view kFile[] = {"file", "image"};
  constexpr std::string_view kNone[] = {"question"};
  EXPECT_EQ(csv.Column(kFile), 0u);
  EXPECT_EQ(csv.Column(kNone), std::nullopt);
}

TEST(Csv, NamesTheLineThatIsWrong) {
  const auto message = [](std::string_view text) {
    return MessageOf([&] { Csv::Parse(text, "x.csv"); });
  };
  EXPECT_THAT(message("a,b\n1,2\n3\n"), HasSubstr("x.csv:3: expected 2 fields"));
  EXPECT_THAT(message("a,b\n1,\"2\n3,4\n"), HasSubstr("x.csv:2: a quote that opens here"));
  EXPECT_THAT(message("a\n\"b\"c\n"), HasSubstr("x.csv:2: text follows a closing quote"));
  EXPECT_THAT(message(""), HasSubstr("x.csv: is empty"));
}

}  // namespace
}  // namespace vernier
