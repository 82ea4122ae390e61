#include "verify/setting_comparison.h"

#include <filesystem>
#include <fstream>

#include "core/check.h"
#include "io/npy.h"
#include "support/scratch_folder.h"
#include "verify/bundle.h"
#include "verify/own_error.h"

namespace vernier {
namespace {

const std::string kModel = std::string(VERNIER_TEST_DATA) + "/goldens/vit/base_detail";

SettingSide Side(const std::string& device, const std::string& dtype = "f32") {
  SettingSide side{.words = "device=" + device + ",dtype=" + dtype, .options = {.model = kModel}};
  side.options.device = device;
  side.options.dtype = dtype;
  side.options.threads = 2;
  return side;
}

SettingComparisonRequest Request(const SettingSide& reference, const SettingSide& candidate) {
  SettingComparisonRequest request{.candidate = candidate, .reference = reference};
  request.inputs.emplace("pixel_values", ReadNpy(kModel + "/pixel_values.npy"));
  return request;
}

Comparison CompareSettings(const SettingComparisonRequest& request) {
  return SettingComparer(request).Run();
}

bool SameFigures(const Comparison& a, const Comparison& b) {
  return std::ranges::equal(a.tensors, b.tensors, [](const auto& x, const auto& y) {
    const bool own = x.own.has_value() == y.own.has_value() &&
                     (!x.own || x.own->metrics.max_abs == y.own->metrics.max_abs);
    return x.name == y.name && x.accumulated.max_abs == y.accumulated.max_abs &&
           x.accumulated.mse == y.accumulated.mse && own;
  });
}

TEST(CompareSettings, ShowsBothKindsOfErrorOfHalfPrecision) {
  const Comparison found = CompareSettings(Request(Side("ref"), Side("cpu", "bf16")));
  ASSERT_FALSE(found.tensors.empty());
  EXPECT_EQ(found.reference.device, "ref");
  EXPECT_EQ(found.candidate.dtype, "bf16");
  EXPECT_EQ(found.candidate.checkpoint_sha256, found.reference.checkpoint_sha256);
  const TensorComparison& last = found.tensors.back();
  EXPECT_GT(last.accumulated.rel_euclidean, 1e-4);  // bf16 rounds at 2^-9
  EXPECT_LT(last.accumulated.rel_euclidean, 1e-1);
  ASSERT_NE(MostOwnError(found.tensors), nullptr);
}

TEST(CompareSettings, GivesTheSameFiguresTwice) {
  const auto request = [] { return Request(Side("cpu"), Side("cpu", "bf16")); };
  EXPECT_TRUE(SameFigures(CompareSettings(request()), CompareSettings(request())));
}

TEST(CompareSettings, RefusesSidesWhosePicturesDifferInSize) {
  SettingComparisonRequest request = Request(Side("ref"), Side("cpu"));
  request.inputs.clear();
  request.images = {kModel + "/input_0.png"};
  request.candidate.options.interpolate_positions = true;
  request.candidate.options.height = request.candidate.options.width = 48;
  EXPECT_EQ(MessageOf([&] { CompareSettings(request); }),
            "pixel_values is [1, 3, 40, 40] under the reference's setting and [1, 3, 48, 48] under "
            "the candidate's");
}

TEST(CompareSettings, AsksForSomethingToRunOn) {
  SettingComparisonRequest request = Request(Side("ref"), Side("cpu"));
  request.inputs.clear();
  EXPECT_EQ(MessageOf([&] { CompareSettings(request); }),
            "there is nothing to run on: pixel_values is not given");
}

TEST(CompareSettings, AddsWhatADetectorsMapsSayOfItsDetections) {
  const std::string model = std::string(VERNIER_TEST_DATA) + "/goldens/blendmask/lite_bn";
  SettingSide reference = Side("cpu"), candidate = Side("cpu", "bf16");
  for (SettingSide* side : {&reference, &candidate}) {
    side->options.model = model;
    side->options.dense_top_features = true;
  }
  SettingComparisonRequest request{.candidate = candidate, .reference = reference};
  request.images = {model + "/image_0.png"};
  const Comparison found = CompareSettings(request);
  const auto tensor = [&](std::string_view name) {
    return std::ranges::find_if(found.tensors, [&](const TensorComparison& one) {
      return one.name == name || std::ranges::count(one.aliases, name) > 0;
    });
  };
  ASSERT_NE(tensor("top_feat.p3"), found.tensors.end());
  ASSERT_NE(tensor("box_distances"), found.tensors.end());
  EXPECT_GT(tensor("box_distances")->accumulated.mean_abs, 0);
  EXPECT_GT(tensor("top_scores")->accumulated.mean_rel, 0);
  EXPECT_EQ(tensor("top_classes")->rows->rows, 100);
}

const std::string kWriter = std::string(VERNIER_TEST_DATA) + "/goldens/pix2struct/pair_masks";

// Two pictures of different sizes through an encoder and a decoder.
SettingComparisonRequest WriterRequest(const std::string& device, const std::string& dtype) {
  SettingComparisonRequest request = Request(Side("ref"), Side(device, dtype));
  for (SettingSide* side : {&*request.reference, &request.candidate}) {
    side->options.model = kWriter;
  }
  request.inputs.clear();
  request.images = {kWriter + "/input_0.png", kWriter + "/input_1.png"};
  request.max_new_tokens = 5;
  return request;
}

const TensorComparison& Named(const Comparison& comparison, const std::string& name) {
  const auto found = std::ranges::find(comparison.tensors, name, &TensorComparison::name);
  VN_CHECK(found != comparison.tensors.end(), name);
  return *found;
}

TEST(CompareSettingsOfWriters, FindsOnlyRoundingFromPatchesToLogits) {
  const Comparison found = CompareSettings(WriterRequest("cpu", "f32"));
  for (const TensorComparison& tensor : found.tensors) {
    EXPECT_EQ(tensor.not_compared, "") << tensor.name;
    EXPECT_LT(tensor.accumulated.rel_euclidean, 1e-5) << tensor.name;
    if (tensor.preprocessing) continue;
    ASSERT_TRUE(tensor.own) << tensor.name;
    EXPECT_EQ(tensor.own->kind, "isolated") << tensor.name;
    EXPECT_LT(OwnErrorOf(tensor), 2e-6) << tensor.name;
  }
  EXPECT_TRUE(std::ranges::is_sorted(found.tensors, {}, &TensorComparison::order));
  const TensorComparison& logits = found.tensors.back();
  EXPECT_THAT(logits.aliases, testing::Contains("logits"));
  EXPECT_EQ(logits.candidate.shape[0], 2);
  EXPECT_EQ(logits.candidate.shape[1], 5);  // one row for each new token
  EXPECT_TRUE(logits.rows);                 // top-1 and cosine row by row
}

TEST(CompareSettingsOfWriters, ReadsTheIdsThatAreFed) {
  SettingComparisonRequest request = WriterRequest("cpu", "f32");
  Tensor ids = Tensor::Zeros(DType::kI64, {2, 9});
  request.inputs.emplace("decoder_input_ids", std::move(ids));
  EXPECT_EQ(CompareSettings(request).tensors.back().candidate.shape[1], 9);
}

TEST(CompareSettingsOfWriters, NamesTheDecodersNodeThatAddsMostError) {
  const ScratchFolder folder;
  const std::string culprit = "decoder.layer.1.mlp.DenseReluDense.wi_0";
  SettingComparisonRequest request = WriterRequest("cpu", "f32");
  request.candidate.options.precision_file = folder.Write("p.txt", culprit + " bf16\n");
  const Comparison found = CompareSettings(request);
  const TensorComparison* most = MostOwnError(found.tensors);
  ASSERT_NE(most, nullptr);
  EXPECT_THAT(most->name, testing::HasSubstr("decoder.layer.1.mlp.DenseReluDense"));
  EXPECT_LT(Named(found, "decoder.layer.0.mlp").accumulated.rel_euclidean, 1e-5);
  EXPECT_GT(most->accumulated.rel_euclidean, 1e-4);
}

TEST(CompareSettingsOfWriters, GivesTheSameFiguresFromRunningFiledAndCachedReferences) {
  const ScratchFolder scratch;
  SettingComparisonRequest request = WriterRequest("cpu", "bf16");
  request.cache.folder = scratch.path();
  const Comparison fresh = CompareSettings(request);
  const Comparison cached = CompareSettings(request);
  EXPECT_TRUE(SameFigures(fresh, cached));

  RecordRequest record{.options = request.reference->options,
                       .images = request.images,
                       .max_new_tokens = 5,
                       .taps = {"*"}};
  RecordBundle(record, scratch.path("b.vb"));
  const Bundle bundle = Bundle::Open(scratch.path("b.vb"));
  SettingComparisonRequest filed{.candidate = request.candidate};
  filed.filed = FiledReference{.tensors = &bundle, .side = bundle.Side()};
  const Comparison proved = CompareSettings(filed);
  EXPECT_TRUE(SameFigures(fresh, proved));
  EXPECT_TRUE(proved.only_reference.empty());
}

TEST(CompareSettingsOfWriters, SaysThatADecoderWasLeftOutWhereAFileHoldsNoIds) {
  struct EncoderAlone : GivenTensors {
    NamedTensors tensors;
    std::vector<std::string> Names() const override { return {"flattened_patches"}; }
    bool Has(std::string_view name) const override { return tensors.contains(name); }
    Shape ShapeOf(std::string_view name) const override {
      return tensors.find(name)->second.shape();
    }
    Tensor Read(std::string_view name) const override {
      return Tensor::CopyOf(tensors.find(name)->second.view());
    }
  } file;
  file.tensors.emplace("flattened_patches", ReadNpy(kWriter + "/flattened_patches.npy"));
  file.tensors.emplace("attention_mask",
                       ToFloat32(ReadNpy(kWriter + "/attention_mask.npy").view()));
  SettingComparisonRequest request{.candidate = WriterRequest("cpu", "f32").candidate};
  request.filed = FiledReference{.tensors = &file, .side = {}};
  const Comparison found = CompareSettings(request);
  ASSERT_EQ(found.left_out.size(), 1u);
  EXPECT_EQ(found.left_out[0],
            "the decoder: the reference's file does not say which ids it read (give --input "
            "decoder_input_ids=F.npy)");
}

const std::string kChatter = std::string(VERNIER_TEST_DATA) + "/goldens/paddleocr_vl/one_image";

// A model that chats, asked about a picture.
SettingComparisonRequest ChatRequest(const std::string& dtype, int64_t max_new_tokens) {
  SettingComparisonRequest request = Request(Side("ref"), Side("cpu", dtype));
  for (SettingSide* side : {&*request.reference, &request.candidate}) {
    side->options.model = kChatter;
  }
  request.inputs.clear();
  request.images = {kChatter + "/input_0.png"};
  request.max_new_tokens = max_new_tokens;
  return request;
}

TEST(CompareSettingsOfChats, ReadTheReferencesAnswerBehindThePrompt) {
  const auto rows = [](int64_t tokens) {
    const Comparison found = CompareSettings(ChatRequest("f32", tokens));
    EXPECT_LT(Named(found, "lm_head").accumulated.rel_euclidean, 1e-5);
    return Named(found, "lm_head").candidate.shape[1];
  };
  const int64_t prompt = rows(1);  // nothing is asked about what follows the last token
  EXPECT_EQ(rows(5), prompt + 4);
}

TEST(CompareSettingsOfChats, SayHowToLookAtAnswersWhereNobodySaysHowLongTheyAre) {
  const Comparison found = CompareSettings(ChatRequest("f32", 0));
  ASSERT_EQ(found.left_out.size(), 1u);
  EXPECT_EQ(found.left_out[0],
            "the answers: prompts were compared (--max-new-tokens N reads the reference's own "
            "answer behind them, --input decoder_input_ids=F.npy any other)");
}

TEST(CompareSettingsOfChats, NeedNoPictures) {
  const std::string model = std::string(VERNIER_TEST_DATA) + "/goldens/paddleocr_vl/text_only";
  SettingComparisonRequest request = ChatRequest("bf16", 0);
  request.reference->options.model = request.candidate.options.model = model;
  request.images.clear();
  EXPECT_EQ(MessageOf([&] { CompareSettings(request); }),
            "there is nothing to run on: input_ids is not given");
  for (const char* name : {"input_ids", "attention_mask"}) {
    request.inputs.emplace(name, ReadNpy(model + "/" + name + ".npy"));
  }
  EXPECT_TRUE(Named(CompareSettings(request), "lm_head").rows);
}

class Cached : public testing::Test {
 protected:
  Comparison Compare(const std::string& folder) {
    SettingComparisonRequest request = Request(Side("ref"), Side("cpu"));
    request.cache.folder = folder;
    request.cache.max_bytes = max_bytes_;
    return CompareSettings(request);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& item :
         std::filesystem::directory_iterator(scratch_.path("reference"), error)) {
      files.push_back(item.path());
    }
    return files;
  }

  const ScratchFolder scratch_;
  int64_t max_bytes_ = int64_t{1} << 30;
};

TEST_F(Cached, GivesTheFiguresOfAFreshRun) {
  const Comparison fresh = Compare(scratch_.path());
  ASSERT_EQ(Files().size(), 1u);
  const auto written = std::filesystem::file_size(Files()[0]);
  const Comparison again = Compare(scratch_.path());
  EXPECT_TRUE(SameFigures(fresh, again));
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_EQ(std::filesystem::file_size(Files()[0]), written);
  EXPECT_TRUE(again.notes.empty());
}

TEST_F(Cached, IsComputedAnewWhereTheFileIsDamaged) {
  const Comparison fresh = Compare(scratch_.path());
  {
    std::fstream file(Files()[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file.put('x');
  }
  const Comparison again = Compare(scratch_.path());
  EXPECT_TRUE(SameFigures(fresh, again));
  ASSERT_EQ(again.notes.size(), 1u);
  EXPECT_THAT(again.notes[0], testing::HasSubstr("were changed"));
  EXPECT_TRUE(Compare(scratch_.path()).notes.empty());  // the file is whole again
}

TEST_F(Cached, GoesOnWhereTheFolderCannotBeWrittenTo) {
  const std::string file = scratch_.Write("no_folder", "x");
  const Comparison found = Compare(file);
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_THAT(found.notes[0], testing::HasSubstr("the cache of reference values was not used"));
}

TEST_F(Cached, KeepsNoMoreThanItMay) {
  scratch_.Write("reference/old.vb", std::string(5000, 'x'));
  std::filesystem::last_write_time(
      scratch_.path("reference/old.vb"),
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  max_bytes_ = 1;
  Compare(scratch_.path());
  ASSERT_EQ(Files().size(), 1u);
  EXPECT_THAT(Files()[0], testing::Not(testing::HasSubstr("old.vb")));
}

}  // namespace
}  // namespace vernier
