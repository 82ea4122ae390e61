#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "models/names.h"
#include "models/pe/model.h"
#include "models/pe/processor.h"
#include "pipeline/loaded_model.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kVisual = "visual.";

// The original's own rule: if any key is the vision tower's of a CLIP model, the others belong to
// its text tower. (The reader has removed "module." already.)
CanonicalTensors NamedAsPe(const Checkpoint& checkpoint) {
  const bool tower = std::ranges::any_of(checkpoint.tensors(), [](const CheckpointTensor& tensor) {
    return tensor.name.starts_with(kVisual);
  });
  CanonicalTensors named;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    std::string_view name = tensor.name;
    if (tower && !name.starts_with(kVisual)) continue;
    // timm computes its rotary tables anew and drops any that are stored.
    if (name.find("rope") != std::string_view::npos) continue;
    if (tower) name.remove_prefix(kVisual.size());
    named.emplace(ToCanonical(name, PeNameRules()), &tensor);
  }
  return named;
}

PeConfig ConfigOf(const ModelFolder& folder, const PeShapeOf& shape_of) {
  if (folder.config.is_null()) return InferPeConfig(shape_of, folder.path);
  return IsTimmPeConfig(folder.config) ? ParseTimmPeConfig(folder.config)
                                       : ParseOriginalPeConfig(folder.config);
}

// Either code base's behaviour away from the native grid, on either layout.
void Force(const std::string& semantics, PeConfig& config) {
  if (semantics.empty()) return;
  if (semantics == "original") {
    config.semantics = PeSemantics::kOriginal;
    config.reference_rows = config.reference_columns = 0;
    config.dynamic_image_size = true;
  } else if (semantics == "timm") {
    config.semantics = PeSemantics::kTimm;
    if (config.reference_rows == 0) {
      config.reference_rows = config.grid_rows();
      config.reference_columns = config.grid_columns();
    }
  } else {
    throw Error(ErrorKind::kUsage, fmt::format("unknown semantics '{}'", semantics),
                "known: original, timm");
  }
}

// timm keeps leading axes that the original does not have.
std::optional<Shape> ShapeIn(const CanonicalTensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return std::nullopt;
  return found->second->shape;
}

}  // namespace

LoadedModel LoadPe(const ModelFolder& folder, const SessionOptions& options) {
  LoadedModel model;
  if (options.labels) {
    throw Error(ErrorKind::kUsage, "a Perception Encoder has no labels",
                "leave --labels away: it gives features and an embedding");
  }
  model.tensors = NamedAsPe(folder.checkpoint);
  const PeShapeOf shape_of = [&](const std::string& name) { return ShapeIn(model.tensors, name); };
  RequirePeLang(shape_of, folder.path);
  PeConfig config = ConfigOf(folder, shape_of);
  Force(options.semantics, config);
  model.graph = PeGraph(config);
  AddDialectAliases(model.graph, PeNameRules());
  model.match = MatchWeights(model.graph, model.tensors);
  RequireComplete(model.match, folder.path);

  const bool timm = !folder.config.is_null() && IsTimmPeConfig(folder.config);
  const PeCheckpointFacts facts{.image_size = config.image_height, .timm_layout = timm};
  const auto processor = std::make_shared<PeProcessor>(
      PeProcessor::FromFolder(folder.path, facts, OverridesOf(options)));
  model.pictures = {
      .output_shape = [processor](const Image&) { return processor->OutputShape(); },
      .process = [processor](const Image& image,
                             std::span<float> out) { return processor->Process(image, out); },
      .describe = [processor] { return processor->Describe(); }};
  model.info.architecture = timm ? folder.config.GetString("architecture") : "PE-Lang";
  model.info.height = processor->config().size.height;
  model.info.width = processor->config().size.width;
  model.features = "features";
  model.size_hint = "--semantics original accepts any size";
  return model;
}

}  // namespace vernier
