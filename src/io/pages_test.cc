#include "io/pages.h"

#include <fmt/format.h>

#include <filesystem>

#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kPages = VERNIER_TEST_DATA "/pages/";

template <typename Action>
std::string RefusalOf(const Action& action) {
  try {
    action();
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

class PdfPages : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      CountPages(kPages + "three.pdf", {});
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kDevice) GTEST_SKIP() << error.what();
    }
  }
};

// Half of each page of 72 by 36 points is red, green or blue.
TEST_F(PdfPages, AreRenderedOnWhiteAtTheWantedResolution) {
  EXPECT_EQ(CountPages(kPages + "three.pdf", {}), 3);
  for (int page = 0; page < 3; ++page) {
    const Image image = DecodePage(kPages + "three.pdf", page, {.pdf_dpi = 144});
    EXPECT_EQ(image.width, 144);
    EXPECT_EQ(image.height, 72);
    EXPECT_EQ(image.frames, 3);
    const uint8_t* left = image.row(36) + 3 * 10;
    EXPECT_THAT(std::vector<int>(left, left + 3),
                ElementsAre(page == 0 ? 255 : 0, page == 1 ? 255 : 0, page == 2 ? 255 : 0));
    const uint8_t* right = image.row(36) + 3 * 130;
    EXPECT_THAT(std::vector<int>(right, right + 3), ElementsAre(255, 255, 255));
  }
}

TEST_F(PdfPages, WantThePasswordOfAnEncryptedFile) {
  const auto count = [](const std::string& password) {
    return CountPages(kPages + "encrypted.pdf", {.pdf = {.password = password}});
  };
  EXPECT_EQ(count("secret"), 3);
  EXPECT_THAT(RefusalOf([&] { count(""); }),
              AllOf(HasSubstr("encrypted.pdf: PDF: it is encrypted"), HasSubstr("--pdf-password")));
  EXPECT_THAT(RefusalOf([&] { count("guess"); }), HasSubstr("the password is wrong"));
  // Only the owner's rights are protected: readers need none.
  EXPECT_EQ(CountPages(kPages + "locked_for_printing.pdf", {}), 3);
}

TEST_F(PdfPages, SayWhenAFileIsDamaged) {
  const ScratchFolder folder;
  const MappedFile whole = MappedFile::Open(kPages + "three.pdf");
  const std::string text(whole.bytes().begin(), whole.bytes().end());
  WriteFileAtomically(folder.path("cut.pdf"), text.substr(0, 60));
  WriteFileAtomically(folder.path("junk.pdf"), "%PDF-1.4\nnothing else");
  for (const char* name : {"cut.pdf", "junk.pdf"}) {
    EXPECT_THAT(RefusalOf([&] { CountPages(folder.path(name), {}); }),
                HasSubstr(fmt::format("{}: PDF: ", name)));
  }
}

TEST_F(PdfPages, RefusePagesThatAreNotThereOrTooLarge) {
  EXPECT_THAT(RefusalOf([] { DecodePage(kPages + "three.pdf", 3, {}); }),
              HasSubstr("three.pdf: PDF: page 4 cannot be read; there are 3"));
  EXPECT_THAT(RefusalOf([] { DecodePage(kPages + "three.pdf", 0, {.pdf_dpi = 1e6}); }),
              AllOf(HasSubstr("page 1 at 1000000 dpi would have"), HasSubstr("--dpi")));
  EXPECT_THAT(
      RefusalOf([] { DecodePage(kPages + "three.pdf", 0, {.decode = {.max_pixels = 100}}); }),
      HasSubstr("--max-image-pixels"));
}

TEST(Pages, NameThePackageOfALibraryThatIsMissing) {
  EXPECT_THAT(RefusalOf([] {
                CountPages(kPages + "three.pdf", {.pdf = {.library = "libpoppler-none.so"}});
              }),
              AllOf(HasSubstr("libpoppler-none.so cannot be loaded"),
                    HasSubstr("apt-get install libpoppler-glib8")));
}

TEST(Pages, OfATiffOfAHundredComeOneByOne) {
  const std::string path = kPages + "hundred.tif";
  EXPECT_EQ(CountPages(path, {}), 100);
  for (int page : {0, 57, 99}) EXPECT_EQ(DecodePage(path, page, {}).row(0)[0], page);
}

TEST(Pages, OfAnyOtherPictureAreOne) {
  EXPECT_EQ(CountPages(VERNIER_TEST_DATA "/goldens/paddleocr_vl/one_image/input_0.png", {}), 1);
}

TEST(PageList, IsReadAsPrintersReadIt) {
  EXPECT_THAT(ParsePageList("1-3,7", 9), ElementsAre(0, 1, 2, 6));
  EXPECT_THAT(ParsePageList("8-", 9), ElementsAre(7, 8));
  EXPECT_THAT(ParsePageList("2,1", 2), ElementsAre(1, 0));
  EXPECT_THAT(RefusalOf([] { ParsePageList("4", 3); }), HasSubstr("there are 3 pages"));
  EXPECT_THAT(RefusalOf([] { ParsePageList("2", 1); }), HasSubstr("there is one page"));
  EXPECT_THAT(RefusalOf([] { ParsePageList("3-2", 3); }), HasSubstr("ends before it begins"));
  for (const char* text : {"", "0", "a", "1,,2", "-2", "1-x", "99999999999999999999"}) {
    EXPECT_THAT(RefusalOf([&] { ParsePageList(text, 3); }), HasSubstr("is no page")) << text;
  }
}

}  // namespace
}  // namespace vernier
