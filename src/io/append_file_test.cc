#include "io/append_file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::HasSubstr;

TEST(AppendFile, GoesOnWhereItWasLeft) {
  const ScratchFolder folder;
  const std::string path = folder.path("results");
  AppendFile(path).Append("one\n");
  {
    AppendFile file(path);
    EXPECT_EQ(file.Content(), "one\n");
    file.Append("two\n");
    file.Append("three\n");
    file.Truncate(8);
    file.Append("four\n");
    EXPECT_EQ(file.Content(), "one\ntwo\nfour\n");
  }
  EXPECT_EQ(ReadAll(path), "one\ntwo\nfour\n");
}

TEST(AppendFile, HasOneWriterAtATime) {
  const ScratchFolder folder;
  const std::string path = folder.path("results");
  {
    const AppendFile first(path);
    EXPECT_THAT(MessageOf([&] { AppendFile{path}; }), HasSubstr("another process is writing it"));
  }
  EXPECT_NO_THROW(AppendFile{path});
}

TEST(AppendFile, EndsWhereItEndedWhenTheDiskIsFull) {
  const ScratchFolder folder;
  AppendFile file(folder.path("results"));
  file.Append("kept\n");
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {.rlim_cur = 100, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const ErrorKind kind = KindOf([&] { file.Append(std::string(500, 'x') + "\n"); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(kind, ErrorKind::kResource);
  EXPECT_EQ(file.Content(), "kept\n");
}

TEST(AppendFile, RefusesWhatCannotGrow) {
  const ScratchFolder folder;
  EXPECT_EQ(KindOf([&] { AppendFile{folder.path()}; }), ErrorKind::kInput);
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(MessageOf([&] { AppendFile{pipe}; }), HasSubstr("is no regular file"));
  EXPECT_THAT(MessageOf([&] { AppendFile{folder.path("none/results")}; }),
              HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace vernier
