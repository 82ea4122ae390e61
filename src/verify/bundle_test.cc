#include "verify/bundle.h"

#include <algorithm>

#include "io/npy.h"
#include "support/scratch_folder.h"
#include "verify/setting_comparison.h"

namespace vernier {
namespace {

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/";
const std::string kModel = kGoldens + "vit/base_detail";

RecordRequest Recording(const std::string& device) {
  RecordRequest request;
  request.options.model = kModel;
  request.options.device = device;
  request.options.threads = 1;
  request.inputs.emplace("pixel_values", ReadNpy(kModel + "/pixel_values.npy"));
  return request;
}

Comparison Prove(const Bundle& bundle, const std::string& dtype) {
  SettingComparisonRequest request;
  request.candidate = {.words = "dtype=" + dtype,
                       .options = {.model = kModel, .dtype = dtype, .threads = 1}};
  request.filed = FiledReference{.tensors = &bundle, .side = bundle.Side()};
  return SettingComparer(request).Run();
}

TEST(Bundle, ProvesARunOnAnotherMachine) {
  const ScratchFolder folder;
  const std::string path = folder.path("b.vb");
  const RecordedBundle recorded = RecordBundle(Recording("ref"), path);
  EXPECT_GT(recorded.tensors, 20);
  const Bundle bundle = Bundle::Open(path);
  EXPECT_EQ(bundle.Side().device, "ref");
  const Comparison found = Prove(bundle, "f32");
  EXPECT_TRUE(found.only_reference.empty());
  int64_t compared = 0;
  for (const TensorComparison& tensor : found.tensors) {
    if (tensor.accumulated.elements == 0) continue;
    ++compared;
    EXPECT_LT(tensor.accumulated.rel_euclidean, 1e-5) << tensor.name;
  }
  EXPECT_EQ(compared, recorded.tensors);
  EXPECT_TRUE(bundle.Notes(found.candidate.checkpoint_sha256).empty());
}

TEST(Bundle, HoldsOnlyTheTapsThatWereAskedForRoundedIfWanted) {
  const ScratchFolder folder;
  RecordRequest request = Recording("cpu");
  request.taps = {"encoder.layer.?"};
  request.taps_dtype = DType::kBF16;
  RecordBundle(request, folder.path("b.vb"));
  const Bundle bundle = Bundle::Open(folder.path("b.vb"));
  EXPECT_THAT(bundle.Names(),
              testing::UnorderedElementsAre("pixel_values", "encoder.layer.0", "encoder.layer.1"));
  EXPECT_EQ(bundle.Read("encoder.layer.0").dtype(), DType::kF32);
  EXPECT_EQ(
      bundle.Notes(bundle.Side().checkpoint_sha256),
      std::vector<std::string>{"the bundle's values were rounded to bf16: relative differences "
                               "below 2^-9 mean nothing"});
  const Comparison found = Prove(bundle, "f32");
  const auto layer = std::ranges::find(found.tensors, "encoder.layer.1", &TensorComparison::name);
  EXPECT_GT(layer->accumulated.rel_euclidean, 1e-4);
  EXPECT_LT(layer->accumulated.rel_euclidean, 4e-3);  // rounding of the file
  EXPECT_EQ(layer->own->kind, "regional");            // what the layer reads is not in the file
}

TEST(Bundle, IsTheSameFileTwice) {
  const ScratchFolder folder;
  RecordBundle(Recording("cpu"), folder.path("a.vb"));
  RecordBundle(Recording("cpu"), folder.path("b.vb"));
  EXPECT_EQ(ReadAll(folder.path("a.vb")), ReadAll(folder.path("b.vb")));
}

TEST(Bundle, SaysWhatItCannotDo) {
  const ScratchFolder folder;
  RecordRequest request = Recording("cpu");
  request.taps = {"nothing"};
  EXPECT_EQ(MessageOf([&] { RecordBundle(request, folder.path("b.vb")); }),
            "--taps nothing: no value has such a name");
  EXPECT_FALSE(std::filesystem::exists(folder.path("b.vb")));
  RecordBundle(Recording("cpu"), folder.path("b.vb"));
  const Bundle bundle = Bundle::Open(folder.path("b.vb"));
  SessionOptions other;
  other.model = kGoldens + "pe_lang/pair_original";
  EXPECT_EQ(
      MessageOf([&] { bundle.CheckFits(CompiledModel(other).model()); }),
      folder.path("b.vb") +
          ": it was recorded from a model of family vit with other values, the candidate is pe");
  EXPECT_EQ(bundle.Notes(std::string(64, 'a')).size(), 1u);
  TensorArchiveWriter(folder.path("c.vb")).Finish(Json::Object());
  EXPECT_EQ(MessageOf([&] { Bundle::Open(folder.path("c.vb")); }),
            folder.path("c.vb") + ": this is no evidence bundle");
}

}  // namespace
}  // namespace vernier
