#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "models/names.h"
#include "models/vit/model.h"
#include "models/vit/processor.h"
#include "pipeline/loaded_model.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kPrefix = "vit.";
// Masked-image models carry it; nothing here reads it.
constexpr std::string_view kMaskToken = "embeddings.mask_token";

CanonicalTensors NamedAsVit(const Checkpoint& checkpoint) {
  CanonicalTensors named;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    std::string_view name = tensor.name;
    if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
    if (name != kMaskToken) named.emplace(ToCanonical(name, VitNameRules()), &tensor);
  }
  return named;
}

// What the checkpoint's tensors and the caller's wishes make of the architecture.
VitGraphOptions ChooseHeads(const VitConfig& config, const SessionOptions& options,
                            const std::string& where, LoadedModel& model) {
  VitGraphOptions heads;
  heads.interpolate_positions = options.interpolate_positions;
  heads.pooler = model.tensors.contains("pooler.dense.weight");
  heads.classifier = model.tensors.contains("classifier.weight");
  if (heads.classifier) return heads;
  const std::string missing = fmt::format(
      "{}: the checkpoint has no classification head (classifier.weight, classifier.bias)", where);
  if (options.labels && !options.allow_random_head) {
    throw Error(ErrorKind::kInput, missing,
                "leave --labels away for features, use a fine-tuned checkpoint, or make up a head "
                "with --allow-random-head; its labels mean nothing");
  }
  if (options.labels) {
    heads.classifier = true;
    model.made_up = {"classifier.weight", "classifier.bias"};
    model.info.random_head = true;
    model.info.warnings.push_back(fmt::format(
        "{}; one was made up from seed {}: labels mean nothing", missing, options.seed));
  } else if (config.classifier) {
    model.info.warnings.push_back(missing + "; only features are computed");
  }
  return heads;
}

bool HasProcessorFile(const std::string& folder) {
  return std::filesystem::exists(folder + "/preprocessor_config.json") ||
         std::filesystem::exists(folder + "/processor_config.json");
}

// Without a file the published defaults apply, at the size that the model was trained for.
VitProcessor ProcessorOf(const ModelFolder& folder, const VitConfig& config,
                         const SessionOptions& options) {
  ProcessorOverrides overrides = OverridesOf(options);
  if (HasProcessorFile(folder.path)) return VitProcessor::FromFolder(folder.path, overrides);
  if (!overrides.size) overrides.size = PictureSize{config.image_height, config.image_width};
  return VitProcessor::FromJson(Json::Object(), overrides);
}

}  // namespace

LoadedModel LoadVit(const ModelFolder& folder, const SessionOptions& options) {
  LoadedModel model;
  const VitConfig config = ParseVitConfig(folder.config);
  model.tensors = NamedAsVit(folder.checkpoint);
  const VitGraphOptions heads = ChooseHeads(config, options, folder.path, model);
  model.graph = VitGraph(config, heads);
  AddDialectAliases(model.graph, VitNameRules());
  model.match = MatchWeights(model.graph, model.tensors);
  std::erase_if(model.match.missing, [&](const std::string& name) {
    return std::ranges::count(model.made_up, name) > 0;
  });
  RequireComplete(model.match, folder.path);

  const auto processor = std::make_shared<VitProcessor>(ProcessorOf(folder, config, options));
  model.pictures = {
      .output_shape = [processor](const Image& image) { return processor->OutputShape(image); },
      .process = [processor](const Image& image,
                             std::span<float> out) { return processor->Process(image, out); },
      .describe = [processor] { return processor->Describe(); }};
  model.info.architecture = config.classifier ? "ViTForImageClassification" : "ViTModel";
  if (heads.classifier) model.info.labels = config.labels;
  model.info.height = processor->config().size.height;
  model.info.width = processor->config().size.width;
  model.features = "last_hidden_state";
  model.keep_f32 = {"classifier", "pooler*"};
  model.size_hint = "--interpolate-pos-encoding accepts other sizes than the trained one";
  return model;
}

}  // namespace vernier
