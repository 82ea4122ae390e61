// Checkpoints of PaddleOCR-VL as they come: spellings, tied and untied heads, faults by name.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "passes/precision_rules.h"
#include "pipeline/loaded_model.h"
#include "pipeline/make_random.h"
#include "pipeline/precision_file.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/paddleocr_vl/";
const std::string kHead = "lm_head.weight";

// A golden's folder with its tensors under other names, or without some.
using Renaming = std::function<std::optional<std::string>(const std::string&)>;

class Altered {
 public:
  Altered(const std::string& golden, const Renaming& rename) {
    for (const auto& entry : std::filesystem::directory_iterator(kGoldens + golden)) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".json") && name != "model.safetensors.index.json") {
        std::filesystem::copy_file(entry.path(), folder_.path(name));
      }
    }
    const Checkpoint source = Checkpoint::Open(kGoldens + golden);
    std::map<std::string, std::string> stored;
    std::vector<TensorToWrite> tensors;
    for (const CheckpointTensor& tensor : source.tensors()) {
      const std::optional<std::string> name = rename(tensor.name);
      if (!name) continue;
      stored.emplace(*name, tensor.name);
      tensors.push_back({*name, tensor.dtype, tensor.shape});
    }
    WriteSafetensors(folder_.path("model.safetensors"), tensors, [&](const TensorToWrite& wanted) {
      return Tensor::CopyOf(source.View(stored.at(wanted.name)));
    });
  }

  void Configure(const std::function<void(Json&)>& change) const {
    Json config = Json::ParseFile(folder_.path("config.json"));
    change(config);
    WriteFileAtomically(folder_.path("config.json"), config.Pretty());
  }

  const ScratchFolder& folder() const { return folder_; }
  LoadedModel Load() const {
    const ModelFolder opened = OpenModelFolder(folder_.path());
    return LoadModel(opened, {.model = folder_.path()});
  }
  std::string Fault() const {
    return MessageOf([this] { Load(); });
  }

 private:
  ScratchFolder folder_;
};

Renaming Without(const std::string& left_out) {
  return [left_out](const std::string& name) -> std::optional<std::string> {
    if (name == left_out) return {};
    return name;
  };
}

bool ReadsHead(const LoadedModel& model) {
  return model.causal->every_token.Find(kHead) != kNoValue;
}

TEST(PaddleOcrVlCheckpoint, LeavesThePackingPositionsAndThePoolingHeadAlone) {
  const ModelFolder folder = OpenModelFolder(kGoldens + "original_keys");
  const LoadedModel model = LoadModel(folder, {.model = folder.path});
  EXPECT_EQ(folder.checkpoint.tensors().size(), model.tensors.size() + 12);
  EXPECT_THAT(model.match.extra, IsEmpty());
  EXPECT_THAT(model.info.warnings, IsEmpty());
}

TEST(PaddleOcrVlCheckpoint, UsesTheStoredHeadWhateverTheFlagSays) {
  for (bool flag : {false, true}) {
    const Altered stored("original_keys", Without("")), missing("original_keys", Without(kHead));
    for (const Altered* altered : {&stored, &missing}) {
      altered->Configure([&](Json& config) { config["tie_word_embeddings"] = flag; });
    }
    EXPECT_TRUE(ReadsHead(stored.Load()));
    EXPECT_FALSE(ReadsHead(missing.Load()));
  }
}

TEST(PaddleOcrVlCheckpoint, NamesTheProductsWhoseInputsStayExactAsItsGraphsDo) {
  const ModelFolder folder = OpenModelFolder(kGoldens + "original_keys");
  const LoadedModel model = LoadModel(folder, {.model = folder.path});
  const Graph* graphs[] = {&model.graph, &model.causal->every_token};
  PrecisionRules rules = PresetRules("bf16", model.keep_f32, model.f32_activations);
  CheckPrecisionRules(rules, graphs, "the model's own");
  for (const Graph* graph : graphs) {
    for (const Node& node : graph->nodes()) {
      if (!node.name.ends_with(".o_proj")) continue;
      const auto last = std::ranges::find_if(rules.rbegin(), rules.rend(), [&](const auto& rule) {
        return Matches(rule, *graph, node);
      });
      EXPECT_EQ(PrecisionName(last->precision), "bf16-weights") << node.name;
    }
  }
}

TEST(PaddleOcrVlCheckpoint, NamesWhatIsMissingAndTheFile) {
  const Altered altered("original_keys", Without("mlp_AR.linear_1.bias"));
  EXPECT_THAT(altered.Fault(), AllOf(HasSubstr(altered.folder().path("model.safetensors")),
                                     HasSubstr("missing 1 tensor: mlp_AR.linear_1.bias")));
}

TEST(PaddleOcrVlCheckpoint, NamesATensorOfAnotherShapeWithBothShapesAndTheFile) {
  const Altered altered("original_keys", Without(""));
  altered.Configure([](Json& config) { config["vision_config"]["image_size"] = 70; });
  const std::string name = "visual.vision_model.embeddings.position_embedding.weight";
  EXPECT_THAT(altered.Fault(), AllOf(HasSubstr(altered.folder().path("model.safetensors")),
                                     HasSubstr(name + ": expected [25, 40], found [49, 40]")));
}

TEST(PaddleOcrVlCheckpoint, RefusesHugeSizesThatItsFilesDoNotHave) {
  const Altered altered("original_keys", Without(""));
  altered.Configure([](Json& config) {
    for (const char* key : {"hidden_size", "intermediate_size"}) config[key] = 65536;
    config["num_hidden_layers"] = 64;
    config["vision_config"]["image_size"] = 16384;
  });
  EXPECT_THAT(altered.Fault(),
              HasSubstr("model.embed_tokens.weight: expected [610, 65536], found [610, 40]"));
}

TEST(PaddleOcrVlCheckpoint, NamesTheShardOfATensorOfAnotherShape) {
  const ScratchFolder folder;
  std::filesystem::copy(kGoldens + "two_images", folder.path());
  Json config = Json::ParseFile(folder.path("config.json"));
  config["text_config"]["vocab_size"] = 700;
  WriteFileAtomically(folder.path("config.json"), config.Pretty());
  EXPECT_THAT(MessageOf([&] { LoadModel(OpenModelFolder(folder.path()), {}); }),
              HasSubstr("lm_head.weight: expected [700, 40], found [610, 40] in " +
                        folder.path("model-00001-of-00004.safetensors")));
}

TEST(PaddleOcrVlCheckpoint, RefusesAShardThatIsNotThere) {
  const ScratchFolder folder;
  std::filesystem::copy(kGoldens + "two_images", folder.path());
  std::filesystem::remove(folder.path("model-00003-of-00004.safetensors"));
  EXPECT_THAT(MessageOf([&] { OpenModelFolder(folder.path()); }),
              HasSubstr("model-00003-of-00004.safetensors"));
}

TEST(PaddleOcrVlCheckpoint, RefusesOneTensorInTwoSpellings) {
  const Altered altered("original_keys", [](const std::string& name) -> std::optional<std::string> {
    // As if the second layer's norm were a first one's in the other spelling.
    if (name != "model.layers.1.input_layernorm.weight") return name;
    return "model.language_model.layers.0.input_layernorm.weight";
  });
  EXPECT_THAT(altered.Fault(), HasSubstr("are two spellings of one tensor"));
}

TEST(PaddleOcrVlCheckpoint, IsKnownByItsTensorsAndSaysThatItsConfigurationIsMissing) {
  const Altered altered("two_images", Without(""));
  std::filesystem::remove(altered.folder().path("config.json"));
  EXPECT_EQ(altered.Fault(), altered.folder().path() +
                                 ": these are PaddleOCR-VL's weights, but config.json is missing");
}

TEST(PaddleOcrVlCheckpoint, WarnsOfATokenizerThatSpellsOutWhatStandsRoundAPicture) {
  const Altered altered("original_keys", Without(""));
  EXPECT_THAT(altered.Load().info.warnings, IsEmpty());
  std::filesystem::remove(altered.folder().path("tokenizer.json"));
  std::filesystem::copy_file(kGoldens + "original_keys/tokenizer.model",
                             altered.folder().path("tokenizer.model"));
  EXPECT_THAT(altered.Load().info.warnings,
              Contains(HasSubstr("the tokenizer has no <|IMAGE_START|>: prompts spell it in "
                                 "letters")));
}

TEST(PaddleOcrVlCheckpoint, OfRandomWeightsIsStoredAsItsConfigurationSays) {
  const ScratchFolder folder;
  const RandomCheckpoint made =
      MakeRandomCheckpoint(kGoldens + "original_keys", folder.path("drawn"), 1);
  const ModelFolder drawn = OpenModelFolder(folder.path("drawn"));
  EXPECT_EQ(made.tensors, static_cast<int64_t>(drawn.checkpoint.tensors().size()));
  for (const CheckpointTensor& tensor : drawn.checkpoint.tensors()) {
    EXPECT_EQ(tensor.dtype, DType::kBF16) << tensor.name;
  }
  const LoadedModel model = LoadModel(drawn, {.model = drawn.path});
  EXPECT_EQ(made.bytes, 2 * model.info.parameters);
  EXPECT_TRUE(ReadsHead(model));
}

}  // namespace
}  // namespace vernier
