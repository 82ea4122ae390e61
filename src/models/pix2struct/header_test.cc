#include "models/pix2struct/header.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/font.h"
#include "io/image_convert.h"
#include "io/json.h"
#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/pix2struct/";

// The font with which the goldens were made; the tests that need it say so where it is missing.
HeaderFonts DejaVu() { return {.files = {FindFontFile("DejaVuSans.ttf")}}; }

#define SKIP_WITHOUT_DEJAVU() \
  if (DejaVu().files.front().empty()) GTEST_SKIP() << "DejaVuSans.ttf is not on this machine"

double Ink(const Image& image) {
  const Image rgb = ConvertToRgb(image);
  const auto bytes = static_cast<int64_t>(rgb.pixels.size());
  const double sum = std::accumulate(rgb.pixels.data(), rgb.pixels.data() + bytes, 0.0);
  return 1.0 - sum / (255.0 * static_cast<double>(bytes));
}

// The specification's bounds: no two versions of FreeType and of layout agree to the pixel.
TEST(Header, HasPillowsSizeForEveryGoldenText) {
  SKIP_WITHOUT_DEJAVU();
  const Json golden = Json::ParseFile(kGoldens + "pictures/case.json").Get("wrap");
  for (const Json& c : golden.GetArray("cases").items()) {
    SCOPED_TRACE(c.GetString("text"));
    const Json& sizes = c.GetObject("image_size");
    const char* layout = sizes.Get("raqm").is_null() ? "basic" : "raqm";
    const std::vector<int64_t> size = sizes.GetInts(layout);
    const Image image = DrawHeader(c.GetString("text"), DejaVu()).image;
    EXPECT_NEAR(static_cast<double>(image.width), static_cast<double>(size[0]),
                0.02 * static_cast<double>(size[0]));
    EXPECT_NEAR(static_cast<double>(image.height), static_cast<double>(size[1]),
                0.02 * static_cast<double>(size[1]));
  }
}

TEST(Header, HasPillowsInk) {
  SKIP_WITHOUT_DEJAVU();
  const std::pair<const char*, const char*> cases[] = {{"How many bars?", "header_0.png"},
                                                       {"Who?", "header_1.png"}};
  for (const auto& [text, file] : cases) {
    const Image pillows = DecodeImage(kGoldens + "vqa_header/" + file);
    const Image ours = DrawHeader(text, DejaVu()).image;
    EXPECT_NEAR(Ink(ours), Ink(pillows), 0.2 * Ink(pillows)) << text;
  }
}

TEST(Header, OfBlanksIsASmallWhiteSquare) {
  SKIP_WITHOUT_DEJAVU();
  const Image image = DrawHeader(" \t ", DejaVu()).image;
  EXPECT_EQ(image.width, 10);
  EXPECT_EQ(image.height, 10);
  EXPECT_EQ(Ink(image), 0.0);
}

TEST(Header, HoldsAQuestionOfTenThousandCharacters) {
  SKIP_WITHOUT_DEJAVU();
  std::string question;
  while (question.size() < 10'000) question += "what-is it, ";
  const Image image = DrawHeader(question, DejaVu()).image;
  EXPECT_GT(image.height, 38 * 120);
  EXPECT_LT(image.width, 2000);
}

TEST(Header, SaysWhichCharactersNoFontHas) {
  SKIP_WITHOUT_DEJAVU();
  EXPECT_THAT(DrawHeader("How many?", DejaVu()).warnings, IsEmpty());
  const HeaderPicture header = DrawHeader("図 and 表", DejaVu());
  ASSERT_EQ(header.warnings.size(), 1u);
  EXPECT_THAT(header.warnings[0], HasSubstr("U+56F3, U+8868"));
  EXPECT_THAT(header.warnings[0], HasSubstr("a box stands for each"));
  EXPECT_GT(Ink(DrawHeader("図", DejaVu()).image), 0.0);
}

TEST(Header, TakesGlyphsFromTheNextFontAndSaysSo) {
  SKIP_WITHOUT_DEJAVU();
  const std::string mono = FindFontFile("DejaVuSansMono.ttf");
  if (mono.empty()) GTEST_SKIP() << "DejaVuSansMono.ttf is not on this machine";
  HeaderFonts fonts = {.files = {mono, DejaVu().files.front()}};
  const HeaderPicture header = DrawHeader("a\xf0\x9f\x98\x80", fonts);  // a face
  ASSERT_EQ(header.warnings.size(), 1u);
  EXPECT_THAT(
      header.warnings[0],
      HasSubstr("DejaVu Sans Mono Book has no glyph for U+1F600; DejaVu Sans Book was used"));
}

TEST(Header, NamesItsFontWithTheFilesHash) {
  SKIP_WITHOUT_DEJAVU();
  EXPECT_THAT(DrawHeader("a", DejaVu()).font, HasSubstr("DejaVu Sans Book (sha256 "));
}

TEST(Header, NeedsAFont) {
  try {
    DrawHeader("a", {});
    FAIL() << "drawn";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no font was found"));
    EXPECT_THAT(error.hint(), HasSubstr("--font FILE.ttf"));
  }
}

TEST(Header, RefusesAFontThatIsMissingOrIsNone) {
  const ScratchFolder folder;
  const std::string text = folder.Write("font.ttf", "this is no font at all");
  EXPECT_THAT([&] { FindHeaderFonts(text); },
              ::testing::ThrowsMessage<Error>(HasSubstr("font.ttf: this is no font")));
  EXPECT_THAT([&] { FindHeaderFonts(folder.path("absent.ttf")); },
              ::testing::ThrowsMessage<Error>(HasSubstr("absent.ttf")));
}

TEST(Header, SaysWhenTheTrainedFontIsAnotherThanTheDrawn) {
  SKIP_WITHOUT_DEJAVU();
  const HeaderFonts same = FindHeaderFonts("", "DejaVuSans.ttf");
  EXPECT_EQ(same.files, DejaVu().files);
  EXPECT_EQ(same.notice, "");
  EXPECT_THAT(FindHeaderFonts("", "Nowhere.ttf").notice,
              HasSubstr("drawn in DejaVu Sans; this one was trained with Nowhere.ttf"));
}

TEST(Header, WarnsOfAnotherFontOnlyWhereItDraws) {
  SKIP_WITHOUT_DEJAVU();
  const HeaderFonts other = FindHeaderFonts("", "Nowhere.ttf");
  EXPECT_THAT(DrawHeader("How many?", other).warnings, ElementsAre(other.notice));
  EXPECT_THAT(DrawHeader("  ", other).warnings, IsEmpty());
}

void ExpectSame(const Image& found, const Image& expected) {
  ASSERT_EQ(found.width, expected.width);
  ASSERT_EQ(found.height, expected.height);
  EXPECT_TRUE(std::equal(expected.pixels.data(), expected.pixels.data() + expected.pixels.size(),
                         found.pixels.data()));
}

// One picture is narrower than its header, one wider.
TEST(Compose, EnlargesTheNarrowerPartToTheLastBit) {
  for (const char* index : {"0", "1"}) {
    const std::string at = kGoldens + "vqa_header/";
    const Image picture = ConvertToRgb(DecodeImage(at + "input_" + index + ".png"));
    const Image header = ConvertToRgb(DecodeImage(at + "header_" + index + ".png"));
    ExpectSame(ComposeWithHeader(picture, header, kDefaultMaxPixels),
               ConvertToRgb(DecodeImage(at + "composed_" + index + ".png")));
  }
}

TEST(Compose, RefusesATowerBelowAWideHeader) {
  const Image picture = NewImage(ImageMode::kRGB, 30, 20000);
  const Image header = NewImage(ImageMode::kRGB, 1700, 44);
  EXPECT_THAT([&] { ComposeWithHeader(picture, header, kDefaultMaxPixels); },
              ::testing::ThrowsMessage<Error>(HasSubstr(
                  "a picture of 30x20000 under a header 1700 wide becomes 1700x1133377")));
}

}  // namespace
}  // namespace vernier
