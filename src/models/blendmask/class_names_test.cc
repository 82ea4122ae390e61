#include "models/blendmask/class_names.h"

#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

TEST(CocoClasses, AreNumberedWithTheirGaps) {
  EXPECT_EQ(std::ssize(CocoClassNames()), kCocoClasses);
  EXPECT_EQ(CocoCategoryId(0), 1);
  EXPECT_EQ(CocoCategoryId(10), 11);
  EXPECT_EQ(CocoCategoryId(11), 13);  // stop sign
  EXPECT_EQ(CocoCategoryId(27), 32);  // tie
  EXPECT_EQ(CocoCategoryId(79), 90);
  EXPECT_EQ(CocoClassNames()[79], "toothbrush");
}

TEST(ClassNames, ComeFromTheFileTheFolderOrCoco) {
  const ScratchFolder folder;
  EXPECT_EQ(ClassNames("", folder.path(), 80), CocoClassNames());
  EXPECT_TRUE(ClassNames("", folder.path(), 3).empty());
  folder.Write("classes.txt", "disc\r\nstar\nring\n\n");
  EXPECT_EQ(ClassNames("", folder.path(), 3), (std::vector<std::string>{"disc", "star", "ring"}));
  EXPECT_EQ(ClassNames(folder.Write("mine.txt", "a\nb\nc"), folder.path(), 3),
            (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ClassNames, RefusesAnotherNumberOfThem) {
  const ScratchFolder folder;
  folder.Write("classes.txt", "a\nb\n");
  try {
    ClassNames("", folder.path(), 3);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("classes.txt: 2 names, and the model has 3 classes"));
  }
}

}  // namespace
}  // namespace vernier
