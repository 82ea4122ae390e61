#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>

#include "models/names.h"
#include "models/paddleocr_vl/model.h"
#include "models/paddleocr_vl/processor.h"
#include "models/paddleocr_vl/prompt.h"
#include "pipeline/loaded_model.h"
#include "pipeline/text_parts.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Stored with the checkpoint and read by nothing: a position table for when interpolation is off,
// and a pooling head.
bool IsUnread(std::string_view published) {
  return published == "visual.vision_model.embeddings.packing_position_embedding.weight" ||
         published.starts_with("visual.vision_model.head.");
}

CanonicalTensors NamedAsPublished(const Checkpoint& checkpoint) {
  CanonicalTensors named;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    std::string published = PublishedPaddleOcrVlName(tensor.name);
    if (IsUnread(published)) continue;
    const auto [known, is_new] = named.emplace(std::move(published), &tensor);
    if (is_new) continue;
    throw Error(ErrorKind::kInput,
                fmt::format("{}: {} and {} (in {}) are two spellings of one tensor",
                            checkpoint.files()[tensor.file].path, tensor.name, known->second->name,
                            checkpoint.files()[known->second->file].path),
                "remove the file that is left over from another checkpoint");
  }
  return named;
}

// The one file, where a checkpoint is no more than that.
const std::string& WeightsOf(const ModelFolder& folder) {
  const auto& files = folder.checkpoint.files();
  return files.size() == 1 ? files.front().path : folder.path;
}

// Without generation_config.json, config.json says which tokens are special.
GenerationOptions ImpliedGeneration(const PaddleOcrVlTextConfig& config) {
  GenerationOptions options;
  options.pad_token_id = static_cast<int32_t>(config.pad_token_id);
  for (int64_t id : config.eos_token_ids) options.eos_token_id.push_back(static_cast<int32_t>(id));
  return options;
}

ChatReader ReaderOf(const ModelFolder& folder, const PaddleOcrVlConfig& config,
                    const std::shared_ptr<const Tokenizer>& tokenizer,
                    const ProcessorOverrides& overrides) {
  if (tokenizer != nullptr) RequireImageToken(*tokenizer, config.image_token_id, folder.path);
  return {.folder = folder.path,
          .processor = std::make_shared<PaddleOcrVlProcessor>(PaddleOcrVlProcessor::FromFolder(
              folder.path, config.vision.patch_size, config.vision.merge_size, overrides)),
          .tokenizer = tokenizer,
          .cue = AnswerCueOf(folder.path),
          .image_token_id = static_cast<int32_t>(config.image_token_id),
          .pad_token_id = static_cast<int32_t>(config.text.pad_token_id),
          .context_tokens = config.text.max_position_embeddings,
          .pages = {}};
}

// A prompt in which a special token is spelled out in letters is not the published one.
void WarnOfMissingSpecials(const Tokenizer& tokenizer, const std::string& folder,
                           std::vector<std::string>& warnings) {
  for (const char* special : {"<|begin_of_sentence|>", "<|IMAGE_START|>", "<|IMAGE_END|>"}) {
    if (tokenizer.IdOf(special)) continue;
    warnings.push_back(fmt::format(
        "{}: the tokenizer has no {}: prompts spell it in letters, and answers will be worse "
        "(tokenizer.json has it, or added_tokens_decoder of tokenizer_config.json)",
        folder, special));
  }
}

// Of noise for timing: a square picture of 28 by 28 patches, or what the limits allow.
int64_t PatchesOfAPage(const PaddleOcrVlProcessorConfig& config) {
  constexpr int64_t kSide = 28;
  const int64_t side = kSide * config.patch_size;
  const PictureSize size = SmartResize({side, side}, config.limits);
  return size.height * size.width / (config.patch_size * config.patch_size);
}

// Products whose inputs a bf16 preset leaves in f32, and caches that it leaves so. Rounding an
// input costs most where all tokens' inputs are alike and so rounded alike, which no later sum
// averages out (the mean of values that attention gives), where no residual stream carries an exact
// share (patches, projector), and where that stream is still small (the decoder's first layers).
// Together they are 3.5 % of a prompt's operations and half of what bf16 would add to the logits'
// mean square error. The head chooses between near equals.
constexpr std::array<const char*, 6> kExactInputs = {
    "visual.vision_model.embeddings.patch_embedding",
    "mlp_AR.*",
    "model.layers.*.self_attn.o_proj",
    "model.layers.0.self_attn.*",
    "model.layers.1.self_attn.*",
    "lm_head"};

}  // namespace

LoadedModel LoadPaddleOcrVl(const ModelFolder& folder, const SessionOptions& options) {
  if (folder.config.is_null()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: these are PaddleOCR-VL's weights, but config.json is missing",
                            folder.path),
                "give a folder that holds both");
  }
  LoadedModel model;
  PaddleOcrVlConfig config = ParsePaddleOcrVlConfig(folder.config);
  model.tensors = NamedAsPublished(folder.checkpoint);
  config.tied_embeddings = !model.tensors.contains("lm_head.weight");
  model.graph = PaddleOcrVlVisionGraph(config);
  CausalModel& text = model.causal.emplace();
  using enum PaddleOcrVlPictures;
  text.every_token = PaddleOcrVlDecoderGraph(config, LogitsAt::kEveryToken, kPlaced);
  text.last_token = PaddleOcrVlDecoderGraph(config, LogitsAt::kLastToken, kPlaced);
  text.step = PaddleOcrVlDecoderGraph(config, LogitsAt::kEveryToken, kNone);
  text.generation =
      LoadGenerationOptions(folder, ImpliedGeneration(config.text), model.info.warnings);
  text.tokenizer = LoadTokenizerFor(folder, config.text.vocab_size);
  text.places = {.image_token_id = static_cast<int32_t>(config.image_token_id),
                 .merge = config.vision.merge_size};
  model.chats = ReaderOf(folder, config, text.tokenizer, OverridesOf(options));
  if (text.tokenizer) WarnOfMissingSpecials(*text.tokenizer, folder.path, model.info.warnings);
  model.info.chats = true;
  model.info.context_tokens = config.text.max_position_embeddings;
  model.info.patches = PatchesOfAPage(model.chats->processor->config());
  model.match = MatchWeights(GraphsOf(model), model.tensors, folder.checkpoint.files());
  RequireComplete(model.match, WeightsOf(folder));
  model.info.architecture = "PaddleOCRVLForConditionalGeneration";
  model.features = "picture_features";
  model.pictures.describe = [] { return Json::Object(); };
  model.f32_activations = {kExactInputs.begin(), kExactInputs.end()};
  return model;
}

}  // namespace vernier
