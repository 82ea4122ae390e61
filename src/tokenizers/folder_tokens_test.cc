#include <filesystem>
#include <fstream>

#include "support/scratch_folder.h"
#include "tokenizers/tokenizer.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A folder with PaddleOCR-VL's tokenizer.model alone, of 610 pieces, and a file beside it.
class BareModel {
 public:
  BareModel(const std::string& name, const std::string& text) {
    std::filesystem::copy(VERNIER_TEST_DATA "/tokenizers/paddleocr_vl/tokenizer.model",
                          folder_.path("tokenizer.model"));
    std::ofstream(folder_.path(name)) << text;
  }

  std::unique_ptr<Tokenizer> Load() const { return LoadTokenizer(folder_.path()); }
  std::string Refusal() const {
    try {
      Load();
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  }

 private:
  ScratchFolder folder_;
};

TEST(TokensBesideAModel, AreReadFromAddedTokensJson) {
  const auto tokenizer = BareModel("added_tokens.json", R"({"<|new|>": 610})").Load();
  EXPECT_EQ(tokenizer->vocab_size(), 611);
  EXPECT_THAT(tokenizer->Encode("<|new|>"), ElementsAre(610));
  EXPECT_EQ(tokenizer->Decode(std::vector{610}), "");
}

TEST(TokensBesideAModel, AreReadWithTheirFlagsFromTheSettings) {
  const auto tokenizer = BareModel("tokenizer_config.json", R"({"added_tokens_decoder": {
      "612": {"content": "<|seen|>", "special": false, "normalized": false, "lstrip": true}}})")
                             .Load();
  EXPECT_EQ(tokenizer->Encode("OCR:  <|seen|>").back(), 612);
  EXPECT_EQ(tokenizer->Encode("OCR:  <|seen|>").size(), tokenizer->Encode("OCR:").size() + 1);
  EXPECT_EQ(tokenizer->Decode(std::vector{612}), "<|seen|>");
}

TEST(TokensBesideAModel, MayNotContradictThePieces) {
  EXPECT_THAT(BareModel("added_tokens.json", R"({"<|new|>": 6})").Refusal(),
              HasSubstr("\"<|new|>\" is to have id 6, but that is \"<|IMAGE_PLACEHOLDER|>\""));
  EXPECT_THAT(BareModel("added_tokens.json", R"({"<s>": 700})").Refusal(),
              HasSubstr("\"<s>\" is to have id 700, but it has id 1"));
  EXPECT_THAT(BareModel("added_tokens.json", R"({"<|new|>": -1})").Refusal(),
              HasSubstr("-1 is not between 0 and"));
  EXPECT_THAT(BareModel("tokenizer_config.json",
                        R"({"added_tokens_decoder": {"x": {"content": "<|new|>"}}})")
                  .Refusal(),
              HasSubstr("is not between 0 and"));
}

}  // namespace
}  // namespace vernier
