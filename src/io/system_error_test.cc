#include "io/system_error.h"

#include <cerrno>

#include "vernier/error.h"

namespace vernier {
namespace {

Error Caught(int error_number) {
  try {
    ThrowSystemError("write", "/data/out.json", error_number);
  } catch (const Error& error) {
    return error;
  }
}

TEST(SystemError, NamesThePathTheReasonAndTheRemedy) {
  const Error error = Caught(EROFS);
  EXPECT_EQ(error.message(), "cannot write /data/out.json: Read-only file system");
  EXPECT_EQ(error.hint(), "the file system is read-only; choose another folder");
}

TEST(SystemError, TellsAFullDiskFromAMissingFileAndABrokenDisk) {
  EXPECT_EQ(Caught(ENOSPC).kind(), ErrorKind::kResource);
  EXPECT_EQ(Caught(EFBIG).kind(), ErrorKind::kResource);
  EXPECT_EQ(Caught(ENOENT).kind(), ErrorKind::kInput);
  EXPECT_EQ(Caught(EIO).kind(), ErrorKind::kDevice);
  EXPECT_EQ(Caught(ENOTTY).kind(), ErrorKind::kInput);
}

}  // namespace
}  // namespace vernier
