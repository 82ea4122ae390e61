#include "pipeline/loaded_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "models/pe/config.h"
#include "pipeline/model_config.h"
#include "pipeline/random_weights.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kFamilies =
    "known are ViT (transformers: model_type vit), Pix2Struct (model_type pix2struct), "
    "PaddleOCR-VL (model_type paddleocr_vl), Perception Encoder PE-Lang (Meta's files, or timm: "
    "vit_pe_lang_large_patch14_448) and BlendMask (AdelaiDet's yaml: META_ARCHITECTURE BlendMask)";

bool HasTensor(const Checkpoint& checkpoint, std::string_view ending) {
  return std::ranges::any_of(checkpoint.tensors(), [&](const CheckpointTensor& tensor) {
    return tensor.name == ending || tensor.name.ends_with("." + std::string(ending));
  });
}

// A weight that two graphs read, such as a tied embedding, counts once; a batch norm's statistics
// are no parameters.
int64_t CountParameters(const LoadedModel& model) {
  std::map<std::string, int64_t> elements;
  for (const Graph* graph : GraphsOf(model)) {
    for (int id : graph->weights()) {
      elements[graph->value(id).name] = WeightShape(graph->value(id)).elements();
    }
  }
  int64_t sum = 0;
  for (const auto& [name, count] : elements) {
    const bool statistic = name.ends_with(".running_mean") || name.ends_with(".running_var");
    if (!statistic) sum += count;
  }
  return sum;
}

PageOptions PageOptionsOf(const SessionOptions& options) {
  PageOptions pages;
  if (options.max_image_pixels > 0) pages.decode.max_pixels = options.max_image_pixels;
  if (options.pdf_dpi > 0) pages.pdf_dpi = options.pdf_dpi;
  pages.pdf.password = options.pdf_password;
  return pages;
}

}  // namespace

std::vector<const Graph*> GraphsOf(const LoadedModel& model) {
  std::vector<const Graph*> graphs = {&model.graph};
  if (model.decoder) {
    graphs.insert(graphs.end(), {&model.decoder->memory, &model.decoder->every_token});
  }
  if (model.causal) graphs.push_back(&model.causal->every_token);
  return graphs;
}

const char* Name(Family family) {
  constexpr const char* kNames[] = {"vit", "pe", "pix2struct", "paddleocr_vl", "blendmask"};
  return kNames[static_cast<size_t>(family)];
}

ModelFolder OpenModelFolder(const std::string& path, const std::string& config) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw Error(ErrorKind::kInput, fmt::format("model folder {} does not exist", path),
                "give the folder that holds config.json and the weights");
  }
  Json content;
  if (!config.empty()) {
    content = ReadModelConfig(config);
  } else if (std::filesystem::is_directory(status)) {
    content = FindModelConfig(path);
  }
  return {.path = path, .config = std::move(content), .checkpoint = Checkpoint::Open(path)};
}

Family FamilyOfConfig(const Json& config, const std::string& where) {
  if (config.Has("model_type")) {
    const std::string type = config.GetString("model_type");
    if (type == "vit") return Family::kVit;
    if (type == "pix2struct") return Family::kPix2Struct;
    if (type == "paddleocr_vl") return Family::kPaddleOcrVl;
    throw Error(ErrorKind::kInput,
                fmt::format("{}: unknown model family '{}'", config.Where("model_type"), type),
                kFamilies);
  }
  if (config.Has("MODEL")) {
    const std::string name = config.GetObject("MODEL").GetString("META_ARCHITECTURE", "");
    if (name == "BlendMask") return Family::kBlendMask;
    throw Error(ErrorKind::kInput,
                fmt::format("{}: unknown model family '{}'",
                            config.GetObject("MODEL").Where("META_ARCHITECTURE"), name),
                kFamilies);
  }
  if (IsTimmPeConfig(config) || config.Has("use_rope2d")) return Family::kPe;
  if (config.Has("architectures")) {
    for (const std::string& name : config.GetStrings("architectures")) {
      if (name.starts_with("ViT")) return Family::kVit;
      if (name.starts_with("PaddleOCRVL")) return Family::kPaddleOcrVl;
    }
  }
  throw Error(ErrorKind::kInput, fmt::format("{}: config.json names no known model family", where),
              kFamilies);
}

Family RecogniseFamily(const Json& config, const Checkpoint& checkpoint, const std::string& where) {
  if (!config.is_null()) return FamilyOfConfig(config, where);
  if (HasTensor(checkpoint, "positional_embedding") && HasTensor(checkpoint, "conv1.weight")) {
    return Family::kPe;
  }
  if (HasTensor(checkpoint, "mlp_AR.linear_1.weight") ||
      HasTensor(checkpoint, "projector.linear_1.weight")) {
    return Family::kPaddleOcrVl;
  }
  if (HasTensor(checkpoint, "fcos_head.cls_logits.weight") &&
      HasTensor(checkpoint, "top_layer.weight")) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: a BlendMask checkpoint without its yaml, which says how it is built",
                    where),
        "put AdelaiDet's yaml or a config.json beside it, or name it with --config");
  }
  throw Error(
      ErrorKind::kInput,
      fmt::format("{}: there is no config.json, and the tensors' names tell no family", where),
      kFamilies);
}

LoadedModel LoadModel(const ModelFolder& folder, const SessionOptions& options) {
  const Family family = RecogniseFamily(folder.config, folder.checkpoint, folder.path);
  constexpr auto kLoaders =
      std::array{LoadVit, LoadPe, LoadPix2Struct, LoadPaddleOcrVl, LoadBlendMask};
  LoadedModel model = kLoaders[static_cast<size_t>(family)](folder, options);
  model.info.family = Name(family);
  // A tap finds an output by its published name, too.
  for (const Graph::Output& output : model.graph.outputs()) {
    model.graph.AddAlias(Value{&model.graph, output.value}, output.name);
  }
  if (!model.match.extra.empty()) {
    model.info.warnings.push_back(
        fmt::format("{} tensor{} of the checkpoint {} not used: {}", model.match.extra.size(),
                    model.match.extra.size() == 1 ? "" : "s",
                    model.match.extra.size() == 1 ? "is" : "are", Shortened(model.match.extra)));
  }
  model.info.parameters = CountParameters(model);
  model.info.processor =
      (model.chats ? model.chats->processor->Describe() : model.pictures.describe()).Compact();
  model.pictures.pages = PageOptionsOf(options);
  if (model.chats) model.chats->pages = model.pictures.pages;
  return model;
}

ProcessorOverrides OverridesOf(const SessionOptions& options) {
  ProcessorOverrides overrides;
  if (!options.resize.empty()) overrides.flavour = ResizeFlavourNamed(options.resize);
  if (!options.pipeline.empty()) overrides.pipeline = options.pipeline;
  if (options.height > 0 && options.width > 0) {
    overrides.size = PictureSize{options.height, options.width};
  }
  overrides.convert_rgb = options.convert_rgb;
  overrides.apply_exif = options.apply_exif;
  if (options.threads > 0) overrides.threads = options.threads;
  if (options.max_patches > 0) overrides.max_patches = options.max_patches;
  overrides.rescale_16bit = options.rescale_16bit;
  overrides.allow_empty = options.allow_empty_question;
  overrides.font = options.font;
  if (options.max_image_pixels > 0) overrides.max_image_pixels = options.max_image_pixels;
  if (options.min_pixels > 0) overrides.min_pixels = options.min_pixels;
  if (options.max_pixels > 0) overrides.max_pixels = options.max_pixels;
  overrides.drop_alpha = options.alpha == "drop";
  return overrides;
}

}  // namespace vernier
