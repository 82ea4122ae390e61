#include "models/vit/config.h"

#include <fmt/format.h>

#include <charconv>

#include "models/config_checks.h"

namespace vernier {
namespace {

// id2label maps "0", "1", … to names; its length is the number of labels.
std::vector<std::string> Labels(const Json& config) {
  const Json* map = config.Find("id2label");
  if (map == nullptr || map->is_null()) {
    const int64_t count = BoundedInt(config, "num_labels", 2, 1, kMaxWidth);
    std::vector<std::string> labels;
    for (int64_t i = 0; i < count; ++i) labels.push_back(fmt::format("LABEL_{}", i));
    return labels;
  }
  const Json& id2label = config.GetObject("id2label");
  std::vector<std::string> labels(id2label.size());
  std::vector<bool> named(labels.size());
  for (const JsonMember& member : id2label.members()) {
    size_t id = labels.size();
    const char* end = member.key.data() + member.key.size();
    const auto parsed = std::from_chars(member.key.data(), end, id);
    if (parsed.ec != std::errc{} || parsed.ptr != end || id >= labels.size()) {
      ConfigError(
          config, "id2label",
          fmt::format("has the key \"{}\", expected 0 to {}", member.key, labels.size() - 1));
    }
    if (named[id]) ConfigError(config, "id2label", fmt::format("names the label {} twice", id));
    named[id] = true;
    labels[id] = id2label.GetString(member.key);
  }
  if (labels.empty() || labels.size() > static_cast<size_t>(kMaxWidth)) {
    ConfigError(config, "id2label", fmt::format("names {} labels", labels.size()));
  }
  return labels;
}

bool HasClassifier(const Json& config) {
  const Json* architectures = config.Find("architectures");
  if (architectures == nullptr || architectures->is_null()) return false;
  for (const std::string& name : config.GetStrings("architectures")) {
    if (name == "ViTForImageClassification") return true;
    if (name != "ViTModel" && name != "ViTForMaskedImageModeling") {
      ConfigError(config, "architectures", fmt::format("names {}, which is not supported", name),
                  "supported are ViTModel and ViTForImageClassification");
    }
  }
  return false;
}

}  // namespace

VitConfig ParseVitConfig(const Json& config) {
  VitConfig vit;
  vit.hidden_size = BoundedInt(config, "hidden_size", 768, 1, kMaxWidth);
  vit.layers = BoundedInt(config, "num_hidden_layers", 12, 1, kMaxLayers);
  vit.heads = static_cast<int>(BoundedInt(config, "num_attention_heads", 12, 1, 4096));
  vit.head_dim = BoundedInt(config, "head_dim", 0, 0, 256);
  if (vit.head_dim == 0) {
    if (vit.hidden_size % vit.heads != 0) {
      ConfigError(config, "hidden_size",
                  fmt::format("is {}, which num_attention_heads = {} does not divide",
                              vit.hidden_size, vit.heads));
    }
    vit.head_dim = vit.hidden_size / vit.heads;
    if (vit.head_dim > 256) {
      ConfigError(config, "num_attention_heads",
                  fmt::format("gives heads of {} channels, the limit is 256", vit.head_dim));
    }
  }
  vit.intermediate_size = BoundedInt(config, "intermediate_size", 3072, 1, kMaxWidth);
  vit.activation = ParseActivation(config, "hidden_act", "gelu");
  vit.layer_norm_eps = config.GetNumber("layer_norm_eps", 1e-12);
  if (!(vit.layer_norm_eps >= 0 && vit.layer_norm_eps < 1)) {
    ConfigError(config, "layer_norm_eps", "must lie between 0 and 1");
  }
  std::tie(vit.image_height, vit.image_width) =
      BoundedSize(config, "image_size", 224, kMaxImageSide);
  std::tie(vit.patch_height, vit.patch_width) = BoundedSize(config, "patch_size", 16, 1024);
  if (vit.grid_rows() < 1 || vit.grid_columns() < 1) {
    ConfigError(config, "patch_size",
                fmt::format("{}x{} is larger than the image {}x{}", vit.patch_height,
                            vit.patch_width, vit.image_height, vit.image_width));
  }
  if (vit.grid_rows() * vit.grid_columns() > kMaxTokens) {
    ConfigError(config, "patch_size", "gives too many patches for the image size");
  }
  vit.channels = BoundedInt(config, "num_channels", 3, 1, 4);
  vit.qkv_bias = config.GetBool("qkv_bias", true);
  vit.pooler_size = BoundedInt(config, "pooler_output_size", vit.hidden_size, 1, kMaxWidth);
  vit.pooler_activation = ParseActivation(config, "pooler_act", "tanh");
  vit.classifier = HasClassifier(config);
  vit.labels = Labels(config);
  return vit;
}

}  // namespace vernier
