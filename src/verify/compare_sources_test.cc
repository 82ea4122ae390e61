#include "verify/compare_sources.h"

#include <fstream>
#include <random>

#include "support/dump_folder.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Comparison CompareFolders(const ScratchFolder& scratch, const CompareOptions& options = {}) {
  return CompareSources(TensorSource::Open(scratch.path("r")),
                        TensorSource::Open(scratch.path("c")), options);
}

TEST(CompareSources, TriesTransposesAndSaysSo) {
  const ScratchFolder scratch;
  DumpFolder reference(scratch.path("r"));
  reference.Add("map", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {1, 2, 2, 3});
  reference.Finish();
  DumpFolder candidate(scratch.path("c"));
  // NHWC: [1, 2, 3, 2].
  candidate.Add("map", {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}, {1, 2, 3, 2});
  candidate.Finish();
  const TensorComparison tensor = CompareFolders(scratch).tensors.at(0);
  EXPECT_EQ(tensor.transposed, "candidate transposed by (0, 3, 1, 2), NHWC to NCHW");
  EXPECT_THAT(tensor.notes, ElementsAre("shapes differ: [1, 2, 2, 3] and [1, 2, 3, 2]"));
  EXPECT_EQ(tensor.accumulated.max_abs, 0);
}

TEST(CompareSources, SaysWhichShapesCannotBeCompared) {
  const ScratchFolder scratch;
  DumpFolder reference(scratch.path("r"));
  reference.Add("a", {1, 2}, {2});
  reference.Finish();
  DumpFolder candidate(scratch.path("c"));
  candidate.Add("a", {1, 2, 3}, {3});
  candidate.Finish();
  EXPECT_EQ(CompareFolders(scratch).tensors.at(0).not_compared, "shapes differ: [2] and [3]");
}

TEST(CompareSources, ComparesDifferentTypesInF64AndSaysSo) {
  const ScratchFolder scratch;
  DumpFolder reference(scratch.path("r"));
  reference.Add("a", {1, 2}, {2});
  reference.Finish();
  std::filesystem::create_directory(scratch.path("c"));
  const std::vector<double> values = {1, 2.5};
  WriteNpy(scratch.path("c/a.npy"), {values.data(), DType::kF64, {2}});
  const TensorComparison tensor = CompareFolders(scratch).tensors.at(0);
  EXPECT_THAT(tensor.notes, ElementsAre("f32 against f64: compared in f64"));
  EXPECT_EQ(tensor.accumulated.max_abs, 0.5);
}

TEST(CompareSources, MeasuresScoresAsDecisions) {
  const ScratchFolder scratch;
  for (const char* side : {"r", "c"}) {
    DumpFolder dump(scratch.path(side));
    dump.Add("logits", {1, 2, 4, 3}, {2, 2});
    dump.Finish();
  }
  const TensorComparison tensor = CompareFolders(scratch).tensors.at(0);
  ASSERT_TRUE(tensor.rows);
  EXPECT_EQ(tensor.rows->rows, 2);
  EXPECT_EQ(tensor.rows->top1, 1);
}

TEST(CompareSources, UsesTheToleranceOfTheLastRuleThatMatches) {
  const ScratchFolder scratch;
  for (const auto& [side, value] : {std::pair{"r", 1.0f}, std::pair{"c", 1.05f}}) {
    DumpFolder dump(scratch.path(side));
    dump.Add("a", {value}, {1});
    dump.Add("b", {value}, {1});
    dump.Finish();
  }
  const Comparison comparison =
      CompareFolders(scratch, {.tolerances = {.rules = {{"*", {{0, 0.01}}}, {"b", {{0, 0.1}}}}}});
  EXPECT_EQ(comparison.tensors[0].accumulated.within, 0);
  EXPECT_EQ(comparison.tensors[1].accumulated.within, 1);
}

TEST(CompareSources, StreamsTensorsLargerThanAChunk) {
  const ScratchFolder scratch;
  const int64_t count = (9 << 20) + 5;  // more than stays mapped between the two passes
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  DumpFolder(scratch.path("r")).AddFile("a", values, {count});
  values.back() += 0.5f;
  DumpFolder(scratch.path("c")).AddFile("a", values, {count});
  const TensorMetrics metrics = CompareFolders(scratch).tensors.at(0).accumulated;
  EXPECT_EQ(metrics.finite_pairs, count);
  EXPECT_EQ(metrics.max_abs_at, count - 1);
  EXPECT_GE(metrics.kl, 0);
}

TEST(CompareSources, ComparesWhatTwoRunsSaid) {
  const ScratchFolder scratch;
  const auto write = [&](const char* file, const char* label, const char* text) {
    std::ofstream(scratch.path(file))
        << R"({"results": [{"image": "a.png", "labels": [{"label": ")" << label
        << R"("}]}, {"image": "b.png", "text": ")" << text << R"("}]})";
  };
  write("r.json", "cat", "twelve per cent");
  write("c.json", "dog", "twelve");
  const Comparison comparison = CompareSources(TensorSource::Open(scratch.path("r.json")),
                                               TensorSource::Open(scratch.path("c.json")), {});
  ASSERT_THAT(comparison.tensors, SizeIs(1));
  EXPECT_EQ(comparison.tensors[0].name, "labels");
  EXPECT_EQ(comparison.tensors[0].rows->top1, 0);
  ASSERT_THAT(comparison.texts, SizeIs(1));
  EXPECT_DOUBLE_EQ(comparison.texts[0].rouge_l, 0.5);
}

TEST(CompareSources, SaysThatAFilterLeavesNothing) {
  const ScratchFolder scratch;
  for (const char* side : {"r", "c"}) DumpFolder(scratch.path(side)).AddFile("a", {1}, {1});
  EXPECT_THAT(MessageOf([&] { CompareFolders(scratch, {.filters = {"b*"}}); }),
              HasSubstr("--filter: no tensor that both sides have has such a name"));
}

TEST(CompareSources, NoticesPixelsThatAreNoise) {
  const ScratchFolder scratch;
  std::mt19937 random(3);
  std::uniform_real_distribution<float> pixel(-1, 1);
  std::vector<float> noise(3 * 16 * 16);
  for (float& value : noise) value = pixel(random);
  for (const char* side : {"r", "c"}) {
    DumpFolder(scratch.path(side)).AddFile("pixel_values", noise, {1, 3, 16, 16});
  }
  const Comparison comparison = CompareFolders(scratch);
  EXPECT_TRUE(comparison.reference.random_inputs);
  EXPECT_THAT(comparison.notes, testing::Contains(HasSubstr("look like noise: neighbours")));
}

}  // namespace
}  // namespace vernier
