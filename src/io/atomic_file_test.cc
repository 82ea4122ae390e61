#include "io/atomic_file.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

int64_t FilesIn(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

// Lowers the file size limit of this process while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST(AtomicFile, ReplacesTheOldContentOnlyOnCommit) {
  const ScratchFolder folder;
  const std::string path = folder.Write("out.json", "old");
  AtomicFile file(path);
  file.Write("new content");
  EXPECT_EQ(ReadAll(path), "old");
  file.Commit();
  EXPECT_EQ(ReadAll(path), "new content");
  EXPECT_EQ(FilesIn(folder.path()), 1);
}

TEST(AtomicFile, LeavesNothingBehindWhenItIsNotCommitted) {
  const ScratchFolder folder;
  { AtomicFile(folder.path("out.json")).Write("half"); }
  EXPECT_EQ(FilesIn(folder.path()), 0);
}

TEST(AtomicFile, KeepsThePermissionsOfTheFileItReplaces) {
  const ScratchFolder folder;
  const std::string path = folder.Write("out.json", "old");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  WriteFileAtomically(path, "new");
  struct stat status = {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AtomicFile, AcceptsTheLongestNameThatTheFileSystemAllows) {
  const ScratchFolder folder;
  const std::string path = folder.path(std::string(255, 'n'));
  WriteFileAtomically(path, "content");
  EXPECT_EQ(ReadAll(path), "content");
}

TEST(AtomicFile, NamesAFolderThatDoesNotExist) {
  const ScratchFolder folder;
  EXPECT_EQ(MessageOf([&] { AtomicFile file(folder.path("no/out.json")); }),
            "cannot write " + folder.path("no/out.json") + ": No such file or directory");
}

TEST(AtomicFile, RefusesToReplaceAFolder) {
  const ScratchFolder folder;
  EXPECT_THAT(MessageOf([&] { AtomicFile file(folder.path()); }), HasSubstr("Is a directory"));
}

TEST(AtomicFile, KeepsTheOldFileWhenTheSizeLimitIsReached) {
  const ScratchFolder folder;
  const std::string path = folder.Write("dump.npy", "old");
  const auto write_too_much = [&] { WriteFileAtomically(path, std::string(10000, 'x')); };
  {
    const FileSizeLimit limit(4096);
    EXPECT_EQ(MessageOf(write_too_much), "cannot write " + path + ": File too large");
    EXPECT_EQ(KindOf(write_too_much), ErrorKind::kResource);
  }
  EXPECT_EQ(ReadAll(path), "old");
  EXPECT_EQ(FilesIn(folder.path()), 1);
}

TEST(AtomicFile, ReportsAFullDeviceThatIsWrittenDirectly) {
  EXPECT_EQ(MessageOf([] { WriteFileAtomically("/dev/full", "x"); }),
            "cannot write /dev/full: No space left on device");
  EXPECT_EQ(KindOf([] { WriteFileAtomically("/dev/full", "x"); }), ErrorKind::kResource);
}

TEST(AtomicFile, KeepsTheOldFileOnAFullOrReadOnlyDisk) {
  const ScratchFolder folder;
  const char* where = folder.path().c_str();
  if (mount("tmpfs", where, "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "mounting a tiny disk needs root";
  }
  const std::string path = folder.Write("report.json", "old");
  EXPECT_THAT(MessageOf([&] { WriteFileAtomically(path, std::string(1 << 20, 'x')); }),
              HasSubstr("No space left on device"));
  EXPECT_EQ(ReadAll(path), "old");
  EXPECT_EQ(FilesIn(folder.path()), 1);

  ASSERT_EQ(mount("tmpfs", where, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k"), 0);
  EXPECT_THAT(MessageOf([&] { WriteFileAtomically(path, "new"); }),
              StartsWith("cannot write " + path + ": Read-only file system"));
  EXPECT_EQ(ReadAll(path), "old");
  umount(where);
}

}  // namespace
}  // namespace vernier
