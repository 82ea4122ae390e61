// PaddleOCR-VL against transformers, on the goldens' small models (shared/specs/paddleocr_vl.md):
// pictures and conversations to inputs, inputs to logits, answers and their texts.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "generation/generate.h"
#include "io/json.h"
#include "io/npy.h"
#include "support/scratch_folder.h"
#include "vernier/error.h"
#include "vernier/session.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/paddleocr_vl/";
constexpr const char* kCases[] = {"one_image",     "two_images", "batch2_left_padding",
                                  "original_keys", "options",    "text_only"};

struct Golden {
  explicit Golden(const std::string& name)
      : folder(kGoldens + name), description(Json::ParseFile(folder + "/case.json")) {}

  Tensor Array(const std::string& name) const { return ReadNpy(folder + "/" + name + ".npy"); }

  NamedTensors Inputs() const {
    NamedTensors inputs;
    for (const char* name : {"input_ids", "attention_mask", "pixel_values", "image_grid_thw"}) {
      if (std::filesystem::exists(folder + "/" + name + ".npy")) inputs.emplace(name, Array(name));
    }
    return inputs;
  }

  std::vector<ChatPrompt> Prompts() const {
    std::vector<ChatPrompt> prompts;
    for (const Json& messages : description.GetArray("messages").items()) {
      ChatPrompt& prompt = prompts.emplace_back();
      for (const Json& message : messages.items()) {
        ChatTurn& turn = prompt.turns.emplace_back();
        turn.role = message.GetString("role");
        for (const Json& part : message.GetArray("content").items()) {
          if (part.GetString("type") == "image") {
            turn.pictures.push_back({.file = folder + "/" + part.GetString("image")});
          } else {
            turn.text += part.GetString("text");
          }
        }
      }
    }
    return prompts;
  }

  std::string folder;
  Json description;
};

Session Open(const Golden& golden, const char* device) {
  return Session({.model = golden.folder, .device = device, .threads = 2});
}

// Both bounds of case.json must hold.
void ExpectWithin(const Json& tolerance, std::span<const float> found,
                  std::span<const float> expected) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0, relative = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - expected[i]);
    largest = std::max(largest, error);
    relative += error / (std::abs(static_cast<double>(expected[i])) + 1e-3);
  }
  EXPECT_LE(largest, tolerance.GetNumber("max_abs"));
  EXPECT_LE(relative / static_cast<double>(found.size()), tolerance.GetNumber("mre"));
}

template <typename T>
std::vector<int64_t> Whole(std::span<const T> values) {
  return {values.begin(), values.end()};
}

TEST(PaddleOcrVlChats, BecomeTheInputsOfTheGoldens) {
  for (const char* name : kCases) {
    SCOPED_TRACE(name);
    const Golden golden(name);
    const Pictures pictures = Open(golden, "cpu").ReadChats(golden.Prompts());
    for (const char* input : {"input_ids", "attention_mask", "image_grid_thw"}) {
      if (!std::filesystem::exists(golden.folder + "/" + input + ".npy")) continue;
      const Tensor expected = golden.Array(input);
      EXPECT_EQ(pictures.inputs.at(input).shape(), expected.shape());
      EXPECT_EQ(Whole(pictures.inputs.at(input).as<int32_t>()), Whole(expected.as<int64_t>()));
    }
    EXPECT_EQ(pictures.inputs.contains("pixel_values"), std::string(name) != "text_only");
  }
}

TEST(PaddleOcrVlGolden, LogitsBehindEveryTokenAreThoseOfTransformers) {
  for (const char* name : kCases) {
    const Golden golden(name);
    for (const char* device : {"ref", "cpu"}) {
      SCOPED_TRACE(std::string(name) + " on " + device);
      const NamedTensors outputs = Open(golden, device).Run(golden.Inputs());
      const Json& tolerances = golden.description.GetObject("outputs");
      ExpectWithin(tolerances.GetObject("logits").GetObject("tolerance"),
                   outputs.at("logits").as<float>(), golden.Array("out/logits").as<float>());
    }
  }
}

// The golden's rows are filled up; a row that ended has no more than its end token here.
std::vector<int64_t> FilledUp(const GeneratedText& answer, size_t steps, int32_t fill) {
  std::vector<int64_t> ids(answer.token_ids.begin() + answer.prompt_tokens, answer.token_ids.end());
  ids.resize(steps, fill);
  return ids;
}

TEST(PaddleOcrVlGolden, AnswersWithTheIdsAndTextOfTransformers) {
  for (const char* name : kCases) {
    const Golden golden(name);
    for (const char* device : {"ref", "cpu"}) {
      SCOPED_TRACE(std::string(name) + " on " + device);
      Session session = Open(golden, device);
      GenerationRequest request{.options = *session.generation_options()};
      request.options.max_new_tokens = golden.description.GetInt("max_new_tokens");
      std::vector<std::string> streamed;
      request.on_text = [&](int64_t row, std::string_view piece) {
        if (std::ssize(streamed) <= row) streamed.resize(static_cast<size_t>(row) + 1);
        streamed[static_cast<size_t>(row)] += piece;
      };
      const GenerationOutput output = session.Generate(golden.Inputs(), request);
      const Tensor expected = golden.Array("generated_ids");
      const auto steps = static_cast<size_t>(expected.shape()[1]);
      const std::vector<std::string> texts =
          golden.description.GetObject("generated").GetStrings("text");
      for (size_t row = 0; row < output.rows.size(); ++row) {
        const auto ids = expected.as<int64_t>().subspan(row * steps, steps);
        EXPECT_EQ(FilledUp(output.rows[row], steps, FillToken(request.options)), Whole(ids));
        EXPECT_EQ(output.rows[row].text, texts[row]);
        EXPECT_EQ(streamed[row], texts[row]);
      }
    }
  }
}

// What generation saw step by step, seen again all at once.
TEST(PaddleOcrVlGolden, StepLogitsAreThoseOfTransformersUnderTeacherForcing) {
  for (const char* name : kCases) {
    const Golden golden(name);
    const Tensor ids = golden.Array("generated_ids"), expected = golden.Array("out/step_logits");
    for (const char* device : {"ref", "cpu"}) {
      SCOPED_TRACE(std::string(name) + " on " + device);
      Session session = Open(golden, device);
      NamedTensors inputs = golden.Inputs();
      inputs.emplace("decoder_input_ids", Tensor::CopyOf(ids.view()));
      const NamedTensors outputs = session.Run(inputs);
      const Tensor& logits = outputs.at("logits");
      const int64_t rows = ids.shape()[0], steps = ids.shape()[1], vocab = logits.shape()[2];
      const int64_t tokens = logits.shape()[1];
      std::vector<float> found, wanted;
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t step = 0; step < steps; ++step) {
          const auto at = static_cast<size_t>((row * steps + step) * vocab);
          const auto reference = expected.as<float>().subspan(at, static_cast<size_t>(vocab));
          // Zero where a row had ended.
          if (std::ranges::all_of(reference, [](float value) { return value == 0.0f; })) continue;
          const int64_t behind = tokens - steps - 1 + step;
          const auto own = logits.as<float>().subspan(
              static_cast<size_t>((row * tokens + behind) * vocab), static_cast<size_t>(vocab));
          found.insert(found.end(), own.begin(), own.end());
          wanted.insert(wanted.end(), reference.begin(), reference.end());
        }
      }
      const Json& tolerances = golden.description.GetObject("outputs");
      ExpectWithin(tolerances.GetObject("step_logits").GetObject("tolerance"), found, wanted);
    }
  }
}

TEST(PaddleOcrVl, SearchesByBeamsAndAnswersAlikeAloneAndInABatch) {
  const Golden golden("batch2_left_padding");
  Session session = Open(golden, "cpu");
  GenerationRequest request{.options = *session.generation_options()};
  request.options.max_new_tokens = 6;
  request.options.num_beams = 3;
  const GenerationOutput together = session.Generate(golden.Inputs(), request);
  const std::vector<ChatPrompt> prompts = golden.Prompts();
  for (size_t row = 0; row < prompts.size(); ++row) {
    const Pictures alone = session.ReadChats({prompts[row]});
    const GenerationOutput output = session.Generate(alone.inputs, request);
    EXPECT_EQ(output.rows[0].token_ids, together.rows[row].token_ids);
    EXPECT_NEAR(output.rows[0].score, together.rows[row].score, 1e-4);
  }
}

std::string RefusalOf(const std::function<void()>& action) {
  try {
    action();
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(PaddleOcrVl, RefusesAPromptThatEndsBehindItsContext) {
  const Golden golden("one_image");
  Session session = Open(golden, "cpu");
  EXPECT_EQ(session.info().context_tokens, 4096);
  GenerationRequest request{.options = *session.generation_options()};
  request.options.max_new_tokens = 4067;
  EXPECT_THAT(RefusalOf([&] { session.Generate(golden.Inputs(), request); }),
              AllOf(HasSubstr("the prompt has 30 tokens and the answer up to 4067, together more "
                              "than the model's context of 4096 (max_position_embeddings)"),
                    HasSubstr("--max-new-tokens 4066 or fewer")));
}

TEST(PaddleOcrVl, RefusesATextBeyondItsContextBeforeItReadsAPicture) {
  const Golden golden("one_image");
  const Session session = Open(golden, "cpu");
  ChatPrompt prompt = golden.Prompts()[0];
  prompt.turns[0].pictures[0].file = "there_is_no_such.png";
  for (int i = 0; i < 4096; ++i) prompt.turns[0].text += " word";
  EXPECT_THAT(RefusalOf([&] { session.ReadChats({prompt}); }),
              AllOf(HasSubstr("the prompt's text alone has "),
                    HasSubstr(" tokens, which leaves nothing of the model's context of 4096 "
                              "(max_position_embeddings)"),
                    HasSubstr("give less text")));
}

TEST(PaddleOcrVl, SaysWhatARawPromptLacks) {
  const Golden golden("one_image");
  const Session session = Open(golden, "cpu");
  ChatPrompt prompt = golden.Prompts()[0];
  prompt.raw = "User: OCR:\nAssistant:\n";
  EXPECT_THAT(RefusalOf([&] { session.ReadChats({prompt}); }),
              AllOf(HasSubstr("Found total 0 <|IMAGE_PLACEHOLDER|> tokens and 1 images"),
                    HasSubstr("<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>")));
  prompt.add_slots = true;
  EXPECT_EQ(session.ReadChats({prompt}).inputs.at("input_ids").shape()[1], 29);
}

TEST(PaddleOcrVl, KeepsTypedSpecialTokensAsTextWhereToldTo) {
  const Golden golden("text_only");
  const Session session = Open(golden, "cpu");
  const ChatPrompt typed{.turns = {{.text = "a</s>b"}}};
  ChatPrompt plain = typed;
  plain.plain_text = true;
  const auto ends = [&](const ChatPrompt& prompt) {
    const Pictures pictures = session.ReadChats({prompt});
    return std::ranges::count(pictures.inputs.at("input_ids").as<int32_t>(), 2);
  };
  EXPECT_EQ(ends(typed), 1);
  EXPECT_EQ(ends(plain), 0);
}

TEST(PaddleOcrVl, NamesThePictureThatIsTooNarrow) {
  const Golden golden("one_image");
  const Session session = Open(golden, "cpu");
  const ScratchFolder folder;
  const std::string file = folder.path("thread.pgm");
  std::ofstream(file) << "P5 28 6000 255\n" << std::string(28 * 6000, ' ');
  EXPECT_THAT(
      RefusalOf([&] { session.ReadChats({{.turns = {{.pictures = {{file}}, .text = "OCR:"}}}}); }),
      AllOf(HasSubstr("thread.pgm"), HasSubstr("absolute aspect ratio must be smaller "
                                               "than 200, got 214.28571428571428")));
}

TEST(PaddleOcrVl, RefusesATokenizerOfAnotherModel) {
  const Golden golden("text_only");
  const ScratchFolder folder;
  std::filesystem::copy(golden.folder, folder.path(), std::filesystem::copy_options::recursive);
  Json config = Json::ParseFile(folder.path("config.json"));
  config["image_token_id"] = 7;
  std::ofstream(folder.path("config.json")) << config.Pretty();
  EXPECT_THAT(RefusalOf([&] { Session({.model = folder.path(), .threads = 1}); }),
              HasSubstr("<|IMAGE_PLACEHOLDER|> is token 6 for the tokenizer, but image_token_id is "
                        "7 in config.json"));
}

}  // namespace
}  // namespace vernier
