// Pix2Struct against transformers, on the goldens' small models (shared/specs/pix2struct.md).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "io/json.h"
#include "io/npy.h"
#include "vernier/error.h"
#include "vernier/session.h"

namespace vernier {
namespace {

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/pix2struct/";
constexpr const char* kCases[] = {"page_greedy", "vqa_header", "pair_masks",
                                  "long_bin",    "beams",      "tied_odd"};

struct Golden {
  explicit Golden(const std::string& name)
      : folder(kGoldens + name), description(Json::ParseFile(folder + "/case.json")) {}

  Tensor Array(const std::string& name) const { return ReadNpy(folder + "/" + name + ".npy"); }

  NamedTensors Inputs() const {
    NamedTensors inputs;
    inputs.emplace("flattened_patches", Array("flattened_patches"));
    inputs.emplace("attention_mask", ToFloat32(Array("attention_mask").view()));
    return inputs;
  }

  std::string folder;
  Json description;
};

Session Open(const Golden& golden, const char* device, const char* dtype = "f32") {
  return Session({.model = golden.folder, .device = device, .dtype = dtype, .threads = 2});
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

Tensor ForcedIds(const Golden& golden) {
  const Json& rows = golden.description.GetObject("inputs").GetArray("teacher_forced_decoder_ids");
  const auto tokens = static_cast<int64_t>(rows.items()[0].size());
  Tensor ids(DType::kI64, {static_cast<int64_t>(rows.size()), tokens});
  int64_t* to = ids.as<int64_t>().data();
  for (const Json& row : rows.items()) {
    for (const Json& id : row.items()) *to++ = id.AsInt();
  }
  return ids;
}

TEST(Pix2StructGolden, TapsAndLogitsUnderTeacherForcingAreThoseOfTransformers) {
  for (const char* name : kCases) {
    const Golden golden(name);
    for (const char* device : {"ref", "cpu"}) {
      SCOPED_TRACE(std::string(name) + " on " + device);
      Session session = Open(golden, device);
      NamedTensors inputs = golden.Inputs();
      inputs.emplace("decoder_input_ids", ForcedIds(golden));
      std::map<std::string, std::vector<float>> taps;
      RunHooks hooks;
      hooks.wants = [](std::string_view, std::span<const std::string>) { return true; };
      hooks.take = [&](const Tap& tap) {
        if (tap.tensor.dtype != DType::kF32) return;
        const auto values = tap.tensor.as<float>();
        for (const std::string& alias : tap.aliases)
          taps[alias].assign(values.begin(), values.end());
        taps[tap.name].assign(values.begin(), values.end());
      };
      const NamedTensors outputs = session.Run(inputs, hooks);
      const Json& arrays = golden.description.GetObject("arrays");
      const Tensor logits = golden.Array("logits");
      ExpectWithin(arrays.GetObject("logits").GetObject("tolerance"),
                   outputs.at("logits").as<float>(), logits.as<float>());
      const Tensor final_norm = golden.Array("decoder_final_norm");
      ExpectWithin(arrays.GetObject("decoder_final_norm").GetObject("tolerance"),
                   taps.at("decoder.final_layer_norm"), final_norm.as<float>());
      const Tensor hidden = golden.Array("decoder_hidden");
      const auto size = static_cast<size_t>(hidden.shape().elements() / hidden.shape()[0]);
      for (int64_t i = 0; i < hidden.shape()[0]; ++i) {
        const std::string tap =
            i == 0 ? "decoder.embed_tokens" : "decoder.layer." + std::to_string(i - 1);
        ExpectWithin(arrays.GetObject("decoder_hidden").GetObject("tolerance"), taps.at(tap),
                     hidden.as<float>().subspan(static_cast<size_t>(i) * size, size));
      }
    }
  }
}

TEST(Pix2StructPictures, BecomeTheInputsOfTheGoldens) {
  for (const char* name : kCases) {
    SCOPED_TRACE(name);
    const Golden golden(name);
    const Session session = Open(golden, "cpu");
    const Json& inputs = golden.description.GetObject("inputs");
    const auto files = [&](const char* key) {
      std::vector<std::string> paths;
      if (!inputs.Has(key)) return paths;
      for (const std::string& file : inputs.GetStrings(key)) {
        paths.push_back(golden.folder + "/" + file);
      }
      return paths;
    };
    const Pictures pictures =
        session.ReadImages(files("images"), {.images = files("header_images")});
    const Json& tolerance = golden.description.GetObject("arrays")
                                .GetObject("flattened_patches")
                                .GetObject("tolerance");
    const Tensor expected = golden.Array("flattened_patches");
    ExpectWithin(tolerance, pictures.inputs.at("flattened_patches").as<float>(),
                 expected.as<float>());
    const Tensor mask = ToFloat32(golden.Array("attention_mask").view());
    EXPECT_TRUE(
        std::ranges::equal(pictures.inputs.at("attention_mask").as<float>(), mask.as<float>()));
  }
}

void ExpectRefused(const Session& session, const std::vector<std::string>& files,
                   const PictureHeaders& headers, const std::string& message) {
  try {
    session.ReadImages(files, headers);
    ADD_FAILURE() << "accepted: " << message;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
  }
}

TEST(Pix2StructPictures, SayWhichHeadersAreMissingOrUnwanted) {
  const Golden vqa("vqa_header"), plain("page_greedy");
  const Session asked = Open(vqa, "cpu"), unasked = Open(plain, "cpu");
  EXPECT_TRUE(asked.info().reads_headers);
  EXPECT_FALSE(unasked.info().reads_headers);
  const std::string picture = vqa.folder + "/input_0.png";
  ExpectRefused(
      asked, {picture}, {},
      "input_0.png: this model answers a question about each picture, and none was given");
  ExpectRefused(asked, {picture, picture, picture}, {.questions = {"a", "b"}},
                "2 questions were given for 3 pictures");
  ExpectRefused(asked, {picture}, {.images = {"a.png", "b.png"}},
                "2 header pictures were given for 1 picture");
  ExpectRefused(unasked, {picture}, {.questions = {"Who?"}},
                "this model reads nothing above its pictures");
}

TEST(Pix2StructPictures, RefuseAFontThatIsNone) {
  const Golden vqa("vqa_header");
  try {
    Session({.model = vqa.folder, .threads = 1, .font = vqa.folder + "/config.json"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("config.json: this is no font"));
  }
}

GenerationOptions OptionsOf(const Json& run, const GenerationOptions& of_file) {
  // These runs leave generation_config.json aside but for its special tokens.
  GenerationOptions options;
  options.eos_token_id = of_file.eos_token_id;
  options.pad_token_id = of_file.pad_token_id;
  options.decoder_start_token_id = of_file.decoder_start_token_id;
  const Json& given = run.GetObject("options");
  if (given.Has("max_new_tokens")) options.max_new_tokens = given.GetInt("max_new_tokens");
  if (given.Has("min_new_tokens")) options.min_new_tokens = given.GetInt("min_new_tokens");
  options.num_beams = given.GetInt("num_beams", 1);
  options.length_penalty = given.GetNumber("length_penalty", 1.0);
  options.repetition_penalty = given.GetNumber("repetition_penalty", 1.0);
  options.no_repeat_ngram_size = given.GetInt("no_repeat_ngram_size", 0);
  if (given.Has("early_stopping")) {
    const bool never = given.Get("early_stopping").type() == Json::Type::kString;
    options.early_stopping = never ? EarlyStopping::kNever : EarlyStopping::kTrue;
  }
  return options;
}

// The golden's rows are filled up; a row that ended has no more than its end token here.
std::vector<int32_t> Unfilled(const Json& ids, const GenerationOptions& options, size_t prompt) {
  std::vector<int32_t> row;
  for (const Json& id : ids.items()) {
    row.push_back(static_cast<int32_t>(id.AsInt()));
    if (row.size() > prompt && row.back() == options.eos_token_id.at(0)) break;
  }
  return row;
}

TEST(Pix2StructGolden, GeneratesTheIdsTextAndScoresOfTransformers) {
  int runs = 0;
  for (const char* name : kCases) {
    const Golden golden(name);
    for (const char* device : {"ref", "cpu"}) {
      Session session = Open(golden, device);
      for (const Json& run : golden.description.GetArray("runs").items()) {
        SCOPED_TRACE(std::string(name) + " on " + device + ": " + run.GetString("name"));
        GenerationRequest request;
        const bool from_file = run.GetString("name") == "from_generation_config";
        request.options = from_file ? *session.generation_options()
                                    : OptionsOf(run, *session.generation_options());
        if (run.Has("prompt_text")) request.prompts = {run.GetString("prompt_text")};
        const GenerationOutput output = session.Generate(golden.Inputs(), request);
        const auto ids = run.GetArray("ids").items();
        ASSERT_EQ(output.rows.size(), ids.size());
        for (size_t row = 0; row < ids.size(); ++row) {
          const GeneratedText& text = output.rows[row];
          EXPECT_EQ(text.token_ids,
                    Unfilled(ids[row], request.options, static_cast<size_t>(text.prompt_tokens)));
          EXPECT_EQ(text.text, run.GetStrings("text")[row]);
          if (!run.Has("sequences_scores")) continue;
          EXPECT_NEAR(text.score, run.GetNumbers("sequences_scores")[row], 1e-4);
        }
        ++runs;
      }
    }
  }
  EXPECT_EQ(runs, 36);
}

}  // namespace
}  // namespace vernier
