#include "report/picture.h"

#include <gtest/gtest.h>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

TEST(Base64, IsThatOfTheStandard) {
  // RFC 4648, section 10.
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
}

TEST(PictureUri, TakesTheFormatFromTheContent) {
  const ScratchFolder folder;
  EXPECT_EQ(PictureUri(folder.Write("a.txt", "GIF89a")), "data:image/gif;base64,R0lGODlh");
  EXPECT_EQ(PictureUri(folder.Write("b.png", "<svg onload=alert(1)>")), "");
}

TEST(PictureUri, LeavesOutWhatIsTooLargeOrMissing) {
  const ScratchFolder folder;
  EXPECT_EQ(PictureUri(folder.Write("a.gif", "GIF8" + std::string(kMaxPictureBytes, ' '))), "");
  EXPECT_EQ(PictureUri(folder.path("missing.png")), "");
  EXPECT_EQ(PictureUri(folder.path()), "");
}

}  // namespace
}  // namespace vernier
