#include "models/paddleocr_vl/prompt.h"

#include <filesystem>

#include "io/json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/paddleocr_vl/";

// A message's parts as one turn: the order of pictures and texts does not matter to the template.
PromptTurn TurnOf(const Json& message) {
  PromptTurn turn{.role = message.GetString("role"), .text = ""};
  for (const Json& part : message.GetArray("content").items()) {
    if (part.GetString("type") == "image") {
      ++turn.pictures;
    } else {
      turn.text += part.GetString("text");
    }
  }
  return turn;
}

TEST(PaddleOcrVlPrompt, IsWhatThePublishedTemplatesRender) {
  const Json cases = Json::ParseFile(kGoldens + "chat_template_cases.json");
  ASSERT_EQ(cases.size(), 40u);
  for (const Json& item : cases.items()) {
    std::vector<PromptTurn> turns;
    for (const Json& message : item.GetArray("messages").items()) turns.push_back(TurnOf(message));
    const std::filesystem::path file = kGoldens + item.GetString("template");
    const auto pieces = WritePrompt(turns, AnswerCueOf(file.parent_path().string()),
                                    item.GetBool("add_generation_prompt"));
    EXPECT_EQ(JoinPieces(pieces), item.GetString("rendered"));
  }
}

TEST(PaddleOcrVlPrompt, KeepsTextWholeBetweenSpecialTokens) {
  const PromptTurn turn{.pictures = 1, .text = "Is </s> in it?"};
  EXPECT_THAT(
      WritePrompt(std::vector{turn}, AnswerCue::kBlank),
      ElementsAre(PromptPiece{"<|begin_of_sentence|>", true}, PromptPiece{"User: ", false},
                  PromptPiece{"<|IMAGE_START|>", true}, PromptPiece{"<|IMAGE_PLACEHOLDER|>", true},
                  PromptPiece{"<|IMAGE_END|>", true},
                  PromptPiece{"Is </s> in it?\nAssistant: ", false}));
}

TEST(PaddleOcrVlPrompt, RefusesWhatNoTemplateKnows) {
  EXPECT_THROW(WritePrompt(std::vector{PromptTurn{.role = "tool", .text = ""}}, AnswerCue::kBlank),
               Error);
  EXPECT_THROW(WritePrompt(std::vector{PromptTurn{.role = "system", .pictures = 1, .text = ""}},
                           AnswerCue::kBlank),
               Error);
}

TEST(PaddleOcrVlPrompt, KnowsTheTasksByName) {
  EXPECT_EQ(TaskPrompt("ocr"), "OCR:");
  EXPECT_EQ(TaskPrompt("seal"), "Seal Recognition:");
  try {
    TaskPrompt("poem");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("ocr, table, formula, chart, spotting, seal"));
  }
}

TEST(PaddleOcrVlPrompt, PutsMissingSlotsBehindTheUsersName) {
  const std::string slot(kImageSlot);
  EXPECT_EQ(WithImageSlots("<|begin_of_sentence|>User: OCR:\n", 1),
            "<|begin_of_sentence|>User: " + slot + "OCR:\n");
  EXPECT_EQ(WithImageSlots("User: " + slot + "a", 1), "User: " + slot + "a");
  EXPECT_EQ(WithImageSlots("<|begin_of_sentence|>bare", 2),
            "<|begin_of_sentence|>" + slot + slot + "bare");
}

TEST(PaddleOcrVlPrompt, FillsEachSlotWithItsPicturesTokens) {
  EXPECT_THAT(FillImageSlots(std::vector{1, 6, 2, 6}, 6, std::vector<int64_t>{2, 3}),
              ElementsAre(1, 6, 6, 2, 6, 6, 6));
}

void ExpectRefused(const std::vector<int32_t>& ids, const std::vector<int64_t>& pictures,
                   const std::string& message) {
  try {
    FillImageSlots(ids, 6, pictures);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), message);
    EXPECT_THAT(error.hint(), HasSubstr(std::string(kImageSlot)));
    EXPECT_THAT(error.hint(), HasSubstr("--auto-image"));
  }
}

TEST(PaddleOcrVlPrompt, SaysHowManySlotsAndPicturesThereAre) {
  ExpectRefused({1, 2}, {4},
                "The total number of <|IMAGE_PLACEHOLDER|> tokens in the prompts should be the "
                "same as the number of images passed. Found total 0 <|IMAGE_PLACEHOLDER|> tokens "
                "and 1 images");
  ExpectRefused({6}, {},
                "Found 1 <|IMAGE_PLACEHOLDER|> tokens in the text but no images were "
                "passed");
  ExpectRefused({6, 6}, {4},
                "The total number of <|IMAGE_PLACEHOLDER|> tokens in the prompts should be the "
                "same as the number of images passed. Found total 2 <|IMAGE_PLACEHOLDER|> tokens "
                "and 1 images");
}

}  // namespace
}  // namespace vernier
