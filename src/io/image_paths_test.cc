#include "io/image_paths.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PicturesBelow, FindsThemByTheirEndingsInOrder) {
  const ScratchFolder folder;
  for (const char* name : {"b/2.PNG", "b/1.jpeg", "a/x.webp", "notes.txt", "a/.png.part"}) {
    folder.Write(name, "");
  }
  EXPECT_THAT(
      PicturesBelow(folder.path()),
      ElementsAre(folder.path("a/x.webp"), folder.path("b/1.jpeg"), folder.path("b/2.PNG")));
}

TEST(PicturesBelow, SaysThatAFolderHoldsNone) {
  const ScratchFolder folder;
  folder.Write("notes.txt", "");
  EXPECT_THAT(MessageOf([&] { PicturesBelow(folder.path()); }), HasSubstr("holds no pictures"));
}

TEST(ExpandImagePaths, TakesPatternsAndKeepsNamesThatDoNotExist) {
  const ScratchFolder folder;
  folder.Write("1.png", "");
  folder.Write("2.png", "");
  EXPECT_THAT(ExpandImagePaths({"/nowhere.png", folder.path("*.png")}),
              ElementsAre("/nowhere.png", folder.path("1.png"), folder.path("2.png")));
  EXPECT_THAT(MessageOf([&] { ExpandImagePaths({folder.path("*.jpg")}); }),
              HasSubstr("no file matches"));
}

}  // namespace
}  // namespace vernier
