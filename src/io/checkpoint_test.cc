#include "io/checkpoint.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "io/safetensors.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using std::string_literals::operator""s;

// A safetensors file of f32 tensors with two elements each: 1 and 2.
void WriteShard(const std::string& path, const std::vector<std::string>& names) {
  std::vector<TensorToWrite> tensors;
  for (const std::string& name : names) tensors.push_back({name, DType::kF32, Shape{2}});
  WriteSafetensors(path, tensors, [](const TensorToWrite& tensor) {
    Tensor t(tensor.dtype, tensor.shape);
    t.as<float>()[0] = 1;
    t.as<float>()[1] = 2;
    return t;
  });
}

constexpr const char* kIndex = "model.safetensors.index.json";

// Two shards with one tensor each, and this index.
void WriteSharded(const ScratchFolder& folder, const std::string& index) {
  WriteShard(folder.path("one.safetensors"), {"a"});
  WriteShard(folder.path("two.safetensors"), {"b"});
  folder.Write(kIndex, index);
}

std::string Refusal(const std::string& path) {
  return MessageOf([&] { Checkpoint::Open(path); });
}

TEST(Checkpoint, ReadsAFolderWithOneFile) {
  const ScratchFolder folder;
  WriteShard(folder.path("model.safetensors"), {"a", "b"});
  folder.Write("pytorch_model.bin", "not looked at");
  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  ASSERT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_EQ(checkpoint.format(), "safetensors");
  EXPECT_EQ(checkpoint.files()[0].path, folder.path("model.safetensors"));
  EXPECT_THAT(checkpoint.View("b").as<float>(), ElementsAre(1, 2));
  EXPECT_EQ(checkpoint.Find("a")->shape, Shape{2});
  EXPECT_FALSE(checkpoint.Has("c"));
  EXPECT_EQ(MessageOf([&] { checkpoint.View("c"); }),
            folder.path("model.safetensors") + ": tensor c is missing");
  EXPECT_THAT(checkpoint.warnings(), IsEmpty());
}

TEST(Checkpoint, ReadsShardsThroughTheirIndex) {
  const ScratchFolder folder;
  WriteSharded(folder, R"({"metadata": {"total_size": 16},
                           "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  for (const std::string& path : {folder.path(), folder.path(kIndex)}) {
    const Checkpoint checkpoint = Checkpoint::Open(path);
    EXPECT_EQ(checkpoint.format(), "safetensors, 2 shards");
    EXPECT_EQ(checkpoint.Find("b")->file, 1u);
    EXPECT_THAT(checkpoint.View("b").as<float>(), ElementsAre(1, 2));
    EXPECT_THAT(checkpoint.warnings(), IsEmpty());
  }
}

TEST(Checkpoint, WarnsOfAnIndexThatMiscounts) {
  const ScratchFolder folder;
  WriteSharded(folder, R"({"metadata": {"total_size": 99},
                           "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  EXPECT_THAT(Checkpoint::Open(folder.path()).warnings(),
              ElementsAre(folder.path(kIndex) + ": total_size is 99, the tensors have 16 bytes"));
  WriteShard(folder.path("two.safetensors"), {"b", "c"});
  EXPECT_THAT(Checkpoint::Open(folder.path()).warnings(),
              ElementsAre(folder.path(kIndex) +
                          ": the shards hold 1 tensors that the index does not name"));
}

TEST(Checkpoint, RefusesEachLieOfAnIndexByName) {
  struct Case {
    const char* map;
    const char* message;
  };
  const Case cases[] = {
      {R"({"a": "three.safetensors"})", "shard \"three.safetensors\" is missing"},
      {R"({"a": "../../etc/passwd"})", "is not the plain name of a file in its folder"},
      {R"({"a": "/etc/passwd"})", "is not the plain name of a file in its folder"},
      {R"({"a": ".."})", "is not the plain name of a file in its folder"},
      {R"({"a": ""})", "is not the plain name of a file in its folder"},
      {R"({"a": "one.safetensors\u0000x"})", "is not the plain name of a file in its folder"},
      {R"({"a": "link.safetensors"})", "is a link to a file outside of its folder"},
      {R"({"a": "pipe.safetensors"})", "pipe.safetensors: it is a named pipe"},
      {R"({"a": "two.safetensors"})", "tensor a is not in"},
      {R"({"a": "one.safetensors", "b": "one.safetensors"})", "tensor b is not in"},
      {R"({"a": "one.safetensors", "b": "copy.safetensors"})", "tensor a is in"},
      {R"({"a": 3})", "weight_map.a: expected a string, found 3"},
      {R"({"a": "one.safetensors", "a": "two.safetensors"})", "weight_map.a: duplicate key"},
      {R"({})", "weight_map names no shards"},
      {R"([])", "weight_map: expected an object, found an array of 0"},
  };
  const ScratchFolder elsewhere;
  WriteShard(elsewhere.path("x.safetensors"), {"a"});
  for (const Case& c : cases) {
    const ScratchFolder folder;
    WriteSharded(folder, R"({"weight_map": )" + std::string(c.map) + "}");
    std::filesystem::copy(folder.path("one.safetensors"), folder.path("copy.safetensors"));
    ASSERT_EQ(
        symlink(elsewhere.path("x.safetensors").c_str(), folder.path("link.safetensors").c_str()),
        0);
    ASSERT_EQ(mkfifo(folder.path("pipe.safetensors").c_str(), 0600), 0);
    EXPECT_THAT(Refusal(folder.path()), HasSubstr(c.message));
  }
}

TEST(Checkpoint, AsksForTheIndexOfShardsThatStandAlone) {
  const ScratchFolder folder;
  const std::string first = "model-00001-of-00002.safetensors";
  const std::string second = "model-00002-of-00002.safetensors";
  WriteShard(folder.path(first), {"a", "b"});
  WriteShard(folder.path(second), {"a", "b"});
  EXPECT_EQ(Refusal(folder.path()),
            folder.path() + ": shards without the index that says what each holds: " + first +
                ", " + second);
  folder.Write("model.safetensors.index.json",
               R"({"weight_map": {"a": ")" + first + R"(", "b": ")" + second + R"("}})");
  EXPECT_THAT(Refusal(folder.path()), HasSubstr("tensor a is in " + folder.path(first) +
                                                " and again in " + folder.path(second)));
}

TEST(Checkpoint, FollowsTheLinksOfHuggingFacesCache) {
  const ScratchFolder folder;
  folder.Write("blobs/placeholder", "");
  folder.Write("snapshots/abc/model.safetensors.index.json", R"({"weight_map": {"a": "m.st"}})");
  WriteShard(folder.path("blobs/0123"), {"a"});
  ASSERT_EQ(symlink("../../blobs/0123", folder.path("snapshots/abc/m.st").c_str()), 0);
  EXPECT_TRUE(Checkpoint::Open(folder.path("snapshots/abc")).Has("a"));
}

TEST(Checkpoint, FindsTheOnlyFileOfWeightsAndPassesOverWhatTrainersLeave) {
  const ScratchFolder folder;
  WriteShard(folder.path("PE-Core.safetensors"), {"a"});
  for (const char* name : {"training_args.bin", "optimizer.pt", "rng_state_0.pth", "README.md"}) {
    folder.Write(name, "x");
  }
  EXPECT_TRUE(Checkpoint::Open(folder.path()).Has("a"));
  folder.Write("other.pt", "x");
  EXPECT_EQ(Refusal(folder.path()),
            folder.path() + ": several files could be the weights: PE-Core.safetensors, other.pt");
}

TEST(Checkpoint, SaysWhatStandsInPlaceOfWeights) {
  const ScratchFolder folder;
  const std::string path = folder.path("model.safetensors");
  EXPECT_EQ(Refusal(folder.path()), folder.path() + ": no weights in this folder");
  EXPECT_EQ(Refusal(folder.path("none")),
            "cannot open " + folder.path("none") + ": No such file or directory");
  folder.Write("model.safetensors", "");
  EXPECT_EQ(Refusal(folder.path()), path + ": the file is empty");
  folder.Write("model.safetensors",
               "version https://git-lfs.github.com/spec/v1\noid sha256:5f\nsize 345580504\n");
  EXPECT_EQ(Refusal(folder.path()),
            path + ": a Git LFS pointer, not the weights (345580504 bytes)");
  folder.Write("model.safetensors", "\n<!DOCTYPE html><html>404</html>");
  EXPECT_EQ(Refusal(folder.path()), path + ": a web page, not weights");
  WriteShard(path, {"a"});
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(ReadAll(path).size() - 4)), 0);
  EXPECT_EQ(Refusal(folder.path()), path +
                                        ": not a valid safetensors file: its tensors need 112 "
                                        "bytes, the file has 108");
  std::filesystem::remove(path);
  ASSERT_EQ(symlink("gone", path.c_str()), 0);
  EXPECT_EQ(Refusal(folder.path()), "cannot open " + path + ": No such file or directory");
}

TEST(Checkpoint, StripsThePrefixOfDataParallelTraining) {
  const Checkpoint checkpoint =
      Checkpoint::Open(VERNIER_TEST_DATA "/io/container_bare_module_prefix.pth");
  EXPECT_EQ(checkpoint.format(), "PyTorch zip archive");
  EXPECT_TRUE(checkpoint.Has("a.weight"));
  EXPECT_EQ(checkpoint.View("a.turned").as<float>()[4], checkpoint.View("a.weight").as<float>()[1]);

  const ScratchFolder folder;
  WriteShard(folder.path("m.safetensors"), {"a", "module.a"});
  EXPECT_THAT(Refusal(folder.path()), HasSubstr("tensor a is in"));
}

TEST(Checkpoint, GivesManyThreadsOneCopyOfAStridedTensor) {
  const Checkpoint checkpoint = Checkpoint::Open(VERNIER_TEST_DATA "/io/container_legacy.pth");
  std::vector<const void*> seen(4);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < seen.size(); ++i) {
      threads.emplace_back([&, i] { seen[i] = checkpoint.View("a.turned").data; });
    }
  }
  EXPECT_THAT(seen, ::testing::Each(seen[0]));
  checkpoint.ReleasePages("a.turned");
  EXPECT_EQ(checkpoint.View("a.turned").shape, (Shape{6, 4}));
}

TEST(Checkpoint, NamesAFileThatShrinksWhileItIsRead) {
  const ScratchFolder folder;
  const std::string path = folder.path("model.safetensors");
  WriteShard(path, {"a"});
  const Checkpoint checkpoint = Checkpoint::Open(path);
  ASSERT_EQ(truncate(path.c_str(), 0), 0);
  EXPECT_THAT(checkpoint.View("a").as<float>(), ElementsAre(0, 0));
  EXPECT_THAT(MessageOf([&] { checkpoint.CheckIntact(); }),
              HasSubstr(path + " became shorter while it was read"));
}

}  // namespace
}  // namespace vernier
