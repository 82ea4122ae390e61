#include "core/sha256.h"

#include <gtest/gtest.h>

#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  // FIPS 180-4, examples of the "abc" and empty messages.
  EXPECT_EQ(Sha256Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, DoesNotDependOnHowTheTextIsCut) {
  Sha256 hash;
  hash.Update("a");
  hash.Update("");
  hash.Update("bc");
  EXPECT_EQ(hash.Finish(), Sha256Of("abc"));
}

TEST(Sha256, HashesAFile) {
  const ScratchFolder folder;
  EXPECT_EQ(Sha256OfFile(folder.Write("abc", "abc")), Sha256Of("abc"));
}

TEST(Sha256, NamesTheFileThatCannotBeRead) {
  try {
    Sha256OfFile("no/such/file");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(error.message().find("no/such/file: cannot be read"), std::string::npos);
  }
}

}  // namespace
}  // namespace vernier
