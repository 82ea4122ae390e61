// vernier run on models that write, with folders and inputs that are wrong.

#include <filesystem>

#include "io/json.h"
#include "io/npy.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::HasSubstr;

const std::string kPage = Golden("pix2struct/page_greedy");

// A copy of a golden model, one JSON file of it changed.
class ChangedModel {
 public:
  ChangedModel() { std::filesystem::copy(kPage, folder_.path("model")); }

  template <typename Change>
  void Edit(const std::string& name, const Change& change) {
    Json json = Json::ParseFile(kPage + "/" + name);
    change(json);
    folder_.Write("model/" + name, json.Compact());
  }
  void Write(const std::string& name, const std::string& text) {
    folder_.Write("model/" + name, text);
  }
  SpawnResult Run() const {
    return Vernier({"run", "--model", folder_.path("model"), "--image", kPage + "/input_0.png",
                    "--max-new-tokens", "2"});
  }

 private:
  ScratchFolder folder_;
};

TEST(GenerateFaults, NameATokenizerThatTheEmbeddingDoesNotHold) {
  ChangedModel model;
  model.Edit("config.json", [](Json& json) { json["text_config"]["vocab_size"] = int64_t{100}; });
  const SpawnResult result = model.Run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("the tokenizer has"));
  EXPECT_THAT(result.errors, HasSubstr("and the model knows 100"));
  EXPECT_THAT(result.errors, HasSubstr("text_config.vocab_size"));
}

TEST(GenerateFaults, NameABrokenTokenizerFile) {
  ChangedModel model;
  model.Write("tokenizer.json", "{\"model\": ");
  const SpawnResult result = model.Run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("tokenizer.json"));
}

TEST(GenerateFaults, WarnOfOptionsThatAreNotSupported) {
  ChangedModel model;
  model.Edit("generation_config.json", [](Json& json) { json["num_beam_groups"] = int64_t{3}; });
  const SpawnResult result = model.Run();
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("asks for what is not supported and is left out: "
                                       "num_beam_groups = 3"));
}

TEST(GenerateFaults, NameTheRowOfAMaskWithAGap) {
  const ScratchFolder folder;
  Tensor mask = ToFloat32(ReadNpy(kPage + "/attention_mask.npy").view());
  mask.as<float>()[1] = 0.0f;
  WriteNpy(folder.path("mask.npy"), mask.view());
  const SpawnResult result = Vernier(
      {"run", "--model", kPage, "--input", "flattened_patches=" + kPage + "/flattened_patches.npy",
       "--input", "attention_mask=" + folder.path("mask.npy"), "--max-new-tokens", "2"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("attention_mask row 0 has a patch after padding"));
}

TEST(GenerateFaults, NameForcedIdsOfAnotherShape) {
  const ScratchFolder folder;
  WriteNpy(folder.path("ids.npy"), Tensor(DType::kI64, {4}).view());
  const SpawnResult result = Vernier({"run", "--model", kPage, "--input",
                                      "flattened_patches=" + kPage + "/flattened_patches.npy",
                                      "--input", "attention_mask=" + kPage + "/attention_mask.npy",
                                      "--input", "decoder_input_ids=" + folder.path("ids.npy")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("decoder_input_ids"));
}

TEST(GenerateFaults, DoNotComeFromPicturesOfExtremeShapes) {
  const ScratchFolder folder;
  const auto picture = [&](int64_t width, int64_t height) {
    std::string text = "P5 " + std::to_string(width) + " " + std::to_string(height) + " 255\n";
    text.append(static_cast<size_t>(width * height), '\x40');
    return folder.Write(std::to_string(width) + ".pgm", text);
  };
  for (const std::string& file : {picture(1, 1), picture(20000, 30)}) {
    const SpawnResult result =
        Vernier({"run", "--model", kPage, "--image", file, "--max-new-tokens", "2"});
    EXPECT_EQ(result.exit_code, 0) << file << result.errors;
  }
}

}  // namespace
}  // namespace vernier
