#include <memory>

#include "models/pix2struct/decoder.h"
#include "models/pix2struct/encoder.h"
#include "models/pix2struct/processor.h"
#include "pipeline/loaded_model.h"
#include "pipeline/text_parts.h"

namespace vernier {
namespace {

constexpr std::string_view kHead = "decoder.lm_head.weight";

CanonicalTensors NamedAsPix2Struct(const Checkpoint& checkpoint, const Pix2StructConfig& config) {
  CanonicalTensors named;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    // A .bin holds the tied weight a second time.
    if (config.tied_embeddings && tensor.name == kHead) continue;
    named.emplace(tensor.name, &tensor);
  }
  return named;
}

// Without generation_config.json, config.json says which tokens are special.
GenerationOptions ImpliedGeneration(const Pix2StructTextConfig& config) {
  GenerationOptions options;
  options.decoder_start_token_id = static_cast<int32_t>(config.decoder_start_token_id);
  options.pad_token_id = static_cast<int32_t>(config.pad_token_id);
  for (int64_t id : config.eos_token_ids) options.eos_token_id.push_back(static_cast<int32_t>(id));
  return options;
}

PictureReader ReaderOf(const std::shared_ptr<const Pix2StructProcessor>& processor) {
  PictureReader reader;
  reader.input = "flattened_patches";
  reader.output_shape = [processor](const Image&) { return processor->OutputShape(); };
  const auto process = [processor](const Image& image, const PictureHeader& header,
                                   std::span<float> out) {
    return processor->Process(image, header, out);
  };
  if (processor->config().is_vqa) {
    reader.process_under_header = process;
  } else {
    reader.process = [process](const Image& image, std::span<float> out) {
      return process(image, {}, out);
    };
  }
  reader.complete = [](NamedTensors& inputs) {
    inputs.emplace("attention_mask", PatchMask(inputs.at("flattened_patches")));
  };
  reader.describe = [processor] { return processor->Describe(); };
  return reader;
}

}  // namespace

LoadedModel LoadPix2Struct(const ModelFolder& folder, const SessionOptions& options) {
  LoadedModel model;
  const Pix2StructConfig config = ParsePix2StructConfig(folder.config);
  model.tensors = NamedAsPix2Struct(folder.checkpoint, config);
  model.graph = Pix2StructEncoderGraph(config);
  DecoderModel& decoder = model.decoder.emplace();
  decoder.memory = Pix2StructMemoryGraph(config);
  decoder.every_token = Pix2StructDecoderGraph(config, LogitsAt::kEveryToken);
  decoder.last_token = Pix2StructDecoderGraph(config, LogitsAt::kLastToken);
  decoder.generation =
      LoadGenerationOptions(folder, ImpliedGeneration(config.text), model.info.warnings);
  decoder.tokenizer = LoadTokenizerFor(folder, config.text.vocab_size);
  model.match = MatchWeights(GraphsOf(model), model.tensors);
  RequireComplete(model.match, folder.path);
  model.info.architecture = "Pix2StructForConditionalGeneration";
  model.features = "encoder_last_hidden_state";
  const Pix2StructLimits limits{config.vision.patch_width, config.vision.seq_len};
  const auto processor = std::make_shared<Pix2StructProcessor>(
      Pix2StructProcessor::FromFolder(folder.path, config.is_vqa, limits, OverridesOf(options)));
  model.pictures = ReaderOf(processor);
  model.info.patches = processor->config().max_patches;
  model.info.reads_headers = processor->config().is_vqa;
  // The head sums over the whole width to choose between near equals: its inputs stay exact.
  model.f32_activations = {"decoder.lm_head"};
  return model;
}

}  // namespace vernier
