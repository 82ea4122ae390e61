#include "io/mapped_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <numeric>

#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

TEST(MappedFile, GivesTheBytesOfTheFile) {
  const ScratchFolder folder;
  const MappedFile file = MappedFile::Open(folder.Write("a.bin", "scale"));
  EXPECT_EQ(std::string(file.bytes().begin(), file.bytes().end()), "scale");
}

TEST(MappedFile, GivesAnEmptySpanForAnEmptyFile) {
  const ScratchFolder folder;
  const MappedFile file = MappedFile::Open(folder.Write("empty", ""));
  EXPECT_TRUE(file.bytes().empty());
  file.CheckIntact();
}

TEST(MappedFile, NamesAFileThatIsMissing) {
  EXPECT_EQ(MessageOf([] { MappedFile::Open("/nowhere/model.bin"); }),
            "cannot open /nowhere/model.bin: No such file or directory");
}

TEST(MappedFile, RefusesAFolderANamedPipeAndADeviceWithoutBlocking) {
  const ScratchFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(MessageOf([&] { MappedFile::Open(pipe); }), HasSubstr("pipe: it is a named pipe"));
  EXPECT_THAT(MessageOf([&] { MappedFile::Open(folder.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(MessageOf([] { MappedFile::Open("/dev/zero"); }), HasSubstr("it is a device"));
}

TEST(MappedFile, ReportsAFileThatShrinksUnderTheMapInsteadOfDying) {
  const ScratchFolder folder;
  const std::string path = folder.Write("weights.bin", std::string(1 << 20, 'x'));
  const MappedFile file = MappedFile::Open(path);
  ASSERT_EQ(truncate(path.c_str(), 4096), 0);

  const auto bytes = file.bytes();
  const int64_t sum = std::accumulate(bytes.begin(), bytes.end(), int64_t{0});

  EXPECT_LT(sum, int64_t{'x'} << 20);
  EXPECT_EQ(MessageOf([&] { file.CheckIntact(); }),
            path + " became shorter while it was read: 1048576 bytes when opened, 4096 now");
}

TEST(MappedFile, ReadsReleasedPagesAgain) {
  const ScratchFolder folder;
  const MappedFile file = MappedFile::Open(folder.Write("a.bin", std::string(1 << 16, 'q')));
  file.ReleasePages(file.bytes().subspan(5, 60000));
  EXPECT_EQ(file.bytes()[30000], 'q');
  file.CheckIntact();
}

TEST(MappedFile, KeepsItsMapWhenMoved) {
  const ScratchFolder folder;
  MappedFile first = MappedFile::Open(folder.Write("a.bin", "a"));
  MappedFile second = MappedFile::Open(folder.Write("b.bin", "b"));
  second = std::move(first);
  EXPECT_EQ(second.bytes()[0], 'a');
}

}  // namespace
}  // namespace vernier
