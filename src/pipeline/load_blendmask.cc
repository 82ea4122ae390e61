#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/rounding.h"
#include "models/blendmask/class_names.h"
#include "models/blendmask/model.h"
#include "models/blendmask/processor.h"
#include "models/blendmask/weights.h"
#include "pipeline/loaded_model.h"
#include "vernier/error.h"

namespace vernier {
namespace {

CanonicalTensors NamedAsBlendMask(const Checkpoint& checkpoint) {
  CanonicalTensors named;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    if (!IsUnusedByBlendMask(tensor.name)) named.emplace(tensor.name, &tensor);
  }
  return named;
}

// Old files of FrozenBN hold no mean and variance, which are 0 and 1 then.
void MakeUpStatistics(LoadedModel& model) {
  std::erase_if(model.match.missing, [&](const std::string& name) {
    const bool statistic = name.starts_with("backbone.bottom_up.") &&
                           (name.ends_with(".running_mean") || name.ends_with(".running_var"));
    if (statistic) model.made_up.push_back(name);
    return statistic;
  });
}

// Pictures of the usual shape as the network gets them, where every picture has a size of its own.
PictureSize NominalSize(const BlendMaskConfig& config, const SessionOptions& options) {
  PictureSize size = {config.min_size, config.max_size};
  if (config.fixed_size()) size = {config.fixed_height, config.fixed_width};
  if (options.height > 0) size = {options.height, options.width};
  const auto padded = [](int64_t side) {
    constexpr int64_t kStep = BlendMaskConfig::kSizeDivisor;
    return RoundUp(side, kStep);
  };
  return {padded(size.height), padded(size.width)};
}

}  // namespace

LoadedModel LoadBlendMask(const ModelFolder& folder, const SessionOptions& options) {
  LoadedModel model;
  if (options.labels) {
    throw Error(ErrorKind::kUsage, "BlendMask finds objects and labels no whole pictures",
                "leave --labels away: every object comes with its class");
  }
  const BlendMaskConfig config = ParseBlendMaskConfig(folder.config);
  model.tensors = NamedAsBlendMask(folder.checkpoint);
  RequireBlendMaskTensors(
      config,
      [&](const std::string& name) -> std::optional<Shape> {
        const auto found = model.tensors.find(name);
        if (found == model.tensors.end()) return std::nullopt;
        return found->second->shape;
      },
      folder.path);
  model.graph = BlendMaskGraph(config, {.dense_top_features = options.dense_top_features});
  model.match = MatchWeights(model.graph, model.tensors);
  if (config.frozen_body) MakeUpStatistics(model);
  RequireComplete(model.match, folder.path);

  const auto processor = std::make_shared<BlendMaskProcessor>(config, OverridesOf(options));
  model.pictures = {
      .input = "input",
      .output_shape = [processor](const Image& image) { return processor->OutputShape(image); },
      .process = [processor](const Image& image,
                             std::span<float> out) { return processor->Process(image, out); },
      .describe = [processor] { return processor->Describe(); },
      .pads = true};
  model.detector = DetectorModel{.config = config, .top = BlendMaskTopGraph(config)};
  model.info.classes = config.classes;
  model.info.labels = ClassNames(options.class_names, folder.path, config.classes);
  model.info.architecture = config.body == BlendMaskBody::kResNet
                                ? fmt::format("BlendMask, ResNet-{}", config.depth)
                                : std::string("BlendMask, DLA-34");
  const PictureSize size = NominalSize(config, options);
  model.info.height = size.height;
  model.info.width = size.width;
  return model;
}

}  // namespace vernier
