#include "models/paddleocr_vl/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numeric>

#include "models/config_checks.h"

namespace vernier {
namespace {

constexpr int64_t kMaxVocabulary = 4'000'000;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadWidth = 256;

double RopeTheta(const Json& holder, double otherwise) {
  const double theta = holder.GetNumber("rope_theta", otherwise);
  if (!(std::isfinite(theta) && theta > 0)) {
    ConfigError(holder, "rope_theta", "must be a positive number");
  }
  return theta;
}

PaddleOcrVlVisionConfig ParseVision(const Json& config) {
  PaddleOcrVlVisionConfig vision;
  vision.hidden_size = BoundedInt(config, "hidden_size", 1152, 1, kMaxWidth);
  vision.intermediate_size = BoundedInt(config, "intermediate_size", 4304, 1, kMaxWidth);
  vision.layers = BoundedInt(config, "num_hidden_layers", 27, 1, kMaxLayers);
  vision.heads = static_cast<int>(BoundedInt(config, "num_attention_heads", 16, 1, kMaxHeads));
  BoundedInt(config, "num_channels", 3, 3, 3);
  vision.patch_size = BoundedInt(config, "patch_size", 14, 1, 1024);
  vision.image_size = BoundedInt(config, "image_size", 384, vision.patch_size, kMaxImageSide);
  vision.activation = ParseActivation(config, "hidden_act", "gelu_pytorch_tanh");
  vision.layer_norm_eps = BoundedEpsilon(config, "layer_norm_eps", 1e-6);
  vision.merge_size = BoundedInt(config, "spatial_merge_size", 2, 1, 16);
  vision.rope_theta = RopeTheta(ConfigPart(config, "rope_parameters"), 10000.0);
  if (vision.hidden_size % vision.heads != 0 || vision.head_dim() % 4 != 0 ||
      vision.head_dim() > kMaxHeadWidth) {
    ConfigError(config, "num_attention_heads",
                fmt::format("is {} for hidden_size {}: heads must be equally wide, by a multiple "
                            "of 4 up to {} (rows and columns turn half of a head's pairs each)",
                            vision.heads, vision.hidden_size, kMaxHeadWidth));
  }
  if (vision.merged_width() > kMaxWidth) {
    ConfigError(config, "spatial_merge_size",
                fmt::format("joins {} numbers into one row, expected at most {}",
                            vision.merged_width(), kMaxWidth));
  }
  return vision;
}

// The sections stand beside rope_theta, or in the older rope_scaling.
const Json& RopeHolder(const Json& text) {
  const Json& parameters = ConfigPart(text, "rope_parameters");
  return parameters.size() > 0 ? parameters : ConfigPart(text, "rope_scaling");
}

void ParseRope(const Json& half, PaddleOcrVlTextConfig& text) {
  const Json& rope = RopeHolder(half);
  text.rope_theta = RopeTheta(rope.Has("rope_theta") ? rope : half, 500000.0);
  for (const char* key : {"rope_type", "type"}) {
    const std::string type = rope.GetString(key, "default");
    if (type != "default" && type != "mrope") {
      ConfigError(rope, key, fmt::format("is \"{}\", which is not supported", type),
                  "PaddleOCR-VL rotates without scaling: \"default\"");
    }
  }
  if (const Json* value = rope.Find("mrope_section"); value != nullptr && !value->is_null()) {
    const std::vector<int64_t> sections = rope.GetInts("mrope_section");
    if (sections.size() != text.mrope_section.size()) {
      ConfigError(rope, "mrope_section",
                  fmt::format("has {} entries, expected 3 (time, rows, columns)", sections.size()));
    }
    for (int64_t section : sections) {
      if (section < 0 || section > kMaxHeadWidth) {
        ConfigError(rope, "mrope_section",
                    fmt::format("holds {}, expected 0 to {}", section, kMaxHeadWidth));
      }
    }
    std::copy(sections.begin(), sections.end(), text.mrope_section.begin());
  }
  const auto& sections = text.mrope_section;
  if (2 * std::accumulate(sections.begin(), sections.end(), int64_t{0}) != text.head_dim) {
    ConfigError(
        half, "head_dim",
        fmt::format("is {}, but mrope_section is [{}]", text.head_dim, fmt::join(sections, ", ")),
        "the sections share out half of a head's width and must add up to it");
  }
}

PaddleOcrVlTextConfig ParseText(const Json& config, const Json& half) {
  PaddleOcrVlTextConfig text;
  text.vocab_size = BoundedInt(half, "vocab_size", 103424, 2, kMaxVocabulary);
  text.hidden_size = BoundedInt(half, "hidden_size", 1024, 1, kMaxWidth);
  text.intermediate_size = BoundedInt(half, "intermediate_size", 3072, 1, kMaxWidth);
  text.layers = BoundedInt(half, "num_hidden_layers", 18, 1, kMaxLayers);
  text.heads = static_cast<int>(BoundedInt(half, "num_attention_heads", 16, 1, kMaxHeads));
  const auto is_null = [&](const char* key) { return half.Has(key) && half.Get(key).is_null(); };
  const int64_t kv_heads = is_null("num_key_value_heads") ? text.heads : 2;
  text.kv_heads = static_cast<int>(BoundedInt(half, "num_key_value_heads", kv_heads, 1, kMaxHeads));
  const int64_t head_dim = is_null("head_dim") ? text.hidden_size / text.heads : 128;
  text.head_dim = BoundedInt(half, "head_dim", head_dim, 2, kMaxHeadWidth);
  text.activation = ParseActivation(half, "hidden_act", "silu");
  text.rms_norm_eps = BoundedEpsilon(half, "rms_norm_eps", 1e-5);
  text.use_bias = half.GetBool("use_bias", false);
  text.max_position_embeddings =
      BoundedInt(half, "max_position_embeddings", 131072, 1, int64_t{1} << 30);
  text.pad_token_id = TokenId(config, half, "pad_token_id", 0, text.vocab_size);
  text.eos_token_ids = TokenIds(config, half, "eos_token_id", 2, text.vocab_size);
  if (text.heads % text.kv_heads != 0) {
    ConfigError(half, "num_key_value_heads",
                fmt::format("is {}, by which {} attention heads cannot be divided", text.kv_heads,
                            text.heads));
  }
  if (text.attention_width() > kMaxWidth) {
    ConfigError(half, "num_attention_heads",
                fmt::format("times head_dim is {}, expected at most {}", text.attention_width(),
                            kMaxWidth));
  }
  if (half.Has("sliding_window") && !half.Get("sliding_window").is_null()) {
    ConfigError(half, "sliding_window", "is set, which is not supported",
                "PaddleOCR-VL attends to everything before a token");
  }
  ParseRope(half, text);
  return text;
}

}  // namespace

PaddleOcrVlConfig ParsePaddleOcrVlConfig(const Json& config) {
  PaddleOcrVlConfig parsed;
  const bool nested = ConfigPart(config, "text_config").size() > 0;
  const Json& text = nested ? ConfigPart(config, "text_config") : config;
  parsed.vision = ParseVision(ConfigPart(config, "vision_config"));
  parsed.text = ParseText(config, text);
  const int64_t vocabulary = parsed.text.vocab_size;
  parsed.image_token_id = TokenId(config, text, "image_token_id", 100295, vocabulary);
  parsed.vision_start_token_id = TokenId(config, text, "vision_start_token_id", 101305, vocabulary);
  parsed.vision_end_token_id = TokenId(config, text, "vision_end_token_id", 101306, vocabulary);
  // Without the field, transformers' default for the text half counts.
  parsed.tied_embeddings =
      config.GetBool("tie_word_embeddings", text.GetBool("tie_word_embeddings", true));
  return parsed;
}

}  // namespace vernier
