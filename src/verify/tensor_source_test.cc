#include "verify/tensor_source.h"

#include <filesystem>
#include <fstream>

#include "core/sha256.h"
#include "support/dump_folder.h"
#include "support/scratch_folder.h"
#include "verify/ascend_names.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const TensorSource& source) {
  std::vector<std::string> names;
  for (const SourceTensor& tensor : source.tensors()) names.push_back(tensor.facts.name);
  return names;
}

TEST(TensorSource, ReadsADumpInTheOrderOfItsManifest) {
  const ScratchFolder scratch;
  DumpFolder dump(scratch.path());
  dump.facts()["device"] = "cpu";
  dump.Add("pixel_values", {1, 2}, {2});
  dump.Add("encoder.layer.0", {3, 4}, {2}, {"layers.0"}, "own:avx2:gemm");
  dump.Add("logits", {5, 6}, {1, 2});
  dump.Finish();
  const TensorSource source = TensorSource::Open(dump.path());
  EXPECT_THAT(Names(source), ElementsAre("pixel_values", "encoder.layer.0", "logits"));
  EXPECT_EQ(source.side().kind, "dump");
  EXPECT_EQ(source.side().device, "cpu");
  EXPECT_THAT(source.side().kernels, ElementsAre("own:avx2:gemm"));
  EXPECT_TRUE(source.tensors()[0].preprocessing);
  EXPECT_TRUE(source.tensors()[2].output);
  EXPECT_EQ(source.Load(1).view().as<float>()[1], 4);
}

TEST(TensorSource, ReadsAFolderOfArraysByName) {
  const ScratchFolder scratch;
  DumpFolder folder(scratch.path());
  folder.AddFile("layer.10", {1}, {1});
  folder.AddFile("layer.2", {1}, {1});
  std::filesystem::create_directory(scratch.path("out"));
  folder.AddFile("out/logits", {1}, {1});
  const TensorSource source = TensorSource::Open(folder.path());
  EXPECT_THAT(Names(source), ElementsAre("layer.2", "layer.10", "out/logits"));
  EXPECT_THAT(source.tensors()[2].aliases, ElementsAre("logits"));
  EXPECT_TRUE(source.tensors()[2].output);
  EXPECT_THAT(source.notes()[0], HasSubstr("its run did not end"));
}

TEST(TensorSource, ReadsAMsaccucmpTreeOfBothForms) {
  const ScratchFolder scratch;
  DumpFolder folder(scratch.path());
  folder.AddFile("MatMulV2.encoder_layer_0_query.7.1670000000000000.output.0", {1}, {1});
  folder.AddFile("Add.encoder_layer_0.3.2.1670000000000000.input.1", {1}, {1});
  folder.AddFile("conv_1.0.1670000000000000", {1}, {1});
  const TensorSource source = TensorSource::Open(folder.path());
  EXPECT_EQ(source.side().kind, "msaccucmp folder");
  EXPECT_TRUE(source.flattens_names());
  EXPECT_THAT(Names(source),
              testing::UnorderedElementsAre("encoder_layer_0_query:output:0",
                                            "encoder_layer_0:input:1", "conv_1:output:0"));
}

TEST(AscendNames, WantANumericTimestamp) {
  EXPECT_FALSE(ParseAscendName("conv_1.0.npy"));
  EXPECT_FALSE(ParseAscendName("conv_1.0.soon.npy"));
  EXPECT_FALSE(ParseAscendName("encoder.layer.0.npy"));
  EXPECT_EQ(ParseAscendName("conv.2.1670000000000000.npy")->TensorIndex(), "conv:output:2");
}

TEST(TensorSource, ReadsResultsOfRun) {
  const ScratchFolder scratch;
  scratch.Write("r.json", R"({"device": "cpu", "results": [
      {"image": "a.png", "labels": [{"label": "cat"}, {"label": "dog"}], "embedding": [1, 2]},
      {"image": "b.png", "text": "12 %", "embedding": [3, 4]}]})");
  const TensorSource source = TensorSource::Open(scratch.path("r.json"));
  EXPECT_THAT(source.results()[0].labels, ElementsAre("cat", "dog"));
  EXPECT_EQ(source.results()[1].text, "12 %");
  ASSERT_THAT(Names(source), ElementsAre("embedding"));
  EXPECT_EQ(source.Load(0).view().shape, (Shape{2, 2}));
}

TEST(TensorSource, ReadsAnArrayInFortranOrder) {
  const ScratchFolder scratch;
  std::string header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }";
  header.resize(118 - 1, ' ');
  header += '\n';
  const float values[] = {1, 3, 2, 4};
  scratch.Write("a.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
                             std::string(reinterpret_cast<const char*>(values), 16));
  const LoadedTensor loaded = TensorSource::Open(scratch.path("a.npy")).Load(0);
  EXPECT_THAT(loaded.view().as<float>(), ElementsAre(1, 2, 3, 4));
}

struct BadSide {
  const char* name;
  void (*write)(const ScratchFolder&);
  const char* path;  // below the scratch folder
  const char* message;
};

class BadSides : public testing::TestWithParam<BadSide> {};

TEST_P(BadSides, AreRefusedInWords) {
  const ScratchFolder scratch;
  GetParam().write(scratch);
  const std::string path = scratch.path(GetParam().path);
  const auto open = [&] { TensorSource::Open(path); };
  EXPECT_THAT(MessageOf(open), HasSubstr(GetParam().message));
  EXPECT_EQ(KindOf(open), ErrorKind::kInput);
}

DumpFolder OneTensor(const ScratchFolder& scratch) {
  DumpFolder dump(scratch.path("d"));
  dump.Add("logits", {1, 2, 3, 4}, {4});
  return dump;
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadSides,
    testing::Values(
        BadSide{"Missing", [](const ScratchFolder&) {}, "none", "there is no such file or folder"},
        BadSide{"EmptyFolder", [](const ScratchFolder&) {}, "",
                "has neither manifest.json nor .npy files"},
        BadSide{"TruncatedArray",
                [](const ScratchFolder& s) {
                  OneTensor(s).Finish();
                  std::filesystem::resize_file(s.path("d/logits.npy"), 135);
                },
                "d", "f32 [4] needs 16 bytes of data, the file has 7"},
        BadSide{"LostFile",
                [](const ScratchFolder& s) {
                  OneTensor(s).Finish();
                  std::filesystem::remove(s.path("d/logits.npy"));
                },
                "d", "lists logits.npy, which is not there"},
        BadSide{"OtherShape",
                [](const ScratchFolder& s) {
                  DumpFolder dump = OneTensor(s);
                  dump.Finish();
                  dump.AddFile("logits", {1, 2}, {2});
                },
                "d", "'logits' has shape [4] here and [2] in its file"},
        BadSide{"ListedTwice",
                [](const ScratchFolder& s) {
                  DumpFolder dump = OneTensor(s);
                  dump.Add("logits", {1, 2, 3, 4}, {4});
                  dump.Finish();
                },
                "d", "'logits' is listed twice"},
        BadSide{"ClimbingFile",
                [](const ScratchFolder& s) {
                  std::filesystem::create_directory(s.path("d"));
                  s.Write("d/manifest.json",
                          R"({"tensors": [{"name": "a", "file": "../a.npy", "shape": [1]}]})");
                },
                "d", "'../a.npy' is not a file of this folder"},
        BadSide{"NoTensor", [](const ScratchFolder& s) { DumpFolder(s.path("d")).Finish(); }, "d",
                "lists no tensor"},
        BadSide{"TwoOutputsOfOneName",
                [](const ScratchFolder& s) {
                  DumpFolder folder(s.path("d"));
                  folder.AddFile("conv.0.1670000000000000", {1}, {1});
                  folder.AddFile("conv.0.1680000000000000", {1}, {1});
                },
                "d", "both hold 'conv:output:0'"},
        BadSide{"Objects",
                [](const ScratchFolder& s) {
                  std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
                  s.Write("o.npy", std::string("\x93NUMPY\x01\x00", 8) +
                                       static_cast<char>(header.size()) + '\0' + header);
                },
                "o.npy", "Python objects, which are never loaded"},
        BadSide{"OtherJson", [](const ScratchFolder& s) { s.Write("r.json", R"({"runs": []})"); },
                "r.json", "is not a results file"},
        BadSide{"NoResult", [](const ScratchFolder& s) { s.Write("r.json", R"({"results": []})"); },
                "r.json", "holds no result"}),
    [](const auto& side) { return side.param.name; });

}  // namespace
}  // namespace vernier
