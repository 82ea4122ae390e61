#include "models/pix2struct/config.h"

#include <fmt/format.h>

#include "models/config_checks.h"

namespace vernier {
namespace {

Pix2StructVisionConfig ParseVision(const Json& config) {
  Pix2StructVisionConfig vision;
  vision.hidden_size = BoundedInt(config, "hidden_size", 768, 1, kMaxWidth);
  vision.patch_width = BoundedInt(config, "patch_embed_hidden_size", 768, 3, kMaxWidth);
  vision.d_ff = BoundedInt(config, "d_ff", 2048, 1, kMaxWidth);
  vision.d_kv = BoundedInt(config, "d_kv", 64, 1, 256);
  vision.layers = BoundedInt(config, "num_hidden_layers", 12, 1, kMaxLayers);
  vision.heads = static_cast<int>(BoundedInt(config, "num_attention_heads", 12, 1, 4096));
  vision.activation = ParseActivation(config, "dense_act_fn", "gelu_new");
  vision.layer_norm_eps = BoundedEpsilon(config, "layer_norm_eps", 1e-6);
  vision.seq_len = BoundedInt(config, "seq_len", 4096, 2, kMaxTokens);
  return vision;
}

Pix2StructTextConfig ParseText(const Json& config, const Json& half) {
  Pix2StructTextConfig text;
  text.hidden_size = BoundedInt(half, "hidden_size", 768, 1, kMaxWidth);
  text.vocab_size = BoundedInt(half, "vocab_size", 50244, 2, 4'000'000);
  text.d_ff = BoundedInt(half, "d_ff", 2048, 1, kMaxWidth);
  text.d_kv = BoundedInt(half, "d_kv", 64, 1, 256);
  text.layers = BoundedInt(half, "num_layers", 12, 1, kMaxLayers);
  text.heads = static_cast<int>(BoundedInt(half, "num_heads", 12, 1, 4096));
  text.activation = ParseActivation(half, "dense_act_fn", "gelu_new");
  text.layer_norm_eps = BoundedEpsilon(half, "layer_norm_epsilon", 1e-6);
  text.relative_attention_buckets =
      BoundedInt(half, "relative_attention_num_buckets", 32, 2, 65536);
  text.relative_attention_max_distance =
      BoundedInt(half, "relative_attention_max_distance", 128,
                 text.relative_attention_buckets / 2 + 1, 1 << 20);
  text.pad_token_id = TokenId(config, half, "pad_token_id", 0, text.vocab_size);
  text.decoder_start_token_id = TokenId(config, half, "decoder_start_token_id", 0, text.vocab_size);
  text.eos_token_ids = TokenIds(config, half, "eos_token_id", 1, text.vocab_size);
  if (text.heads * text.d_kv != text.hidden_size) {
    ConfigError(half, "hidden_size",
                fmt::format("is {}, but num_heads · d_kv = {} · {} = {}", text.hidden_size,
                            text.heads, text.d_kv, text.heads * text.d_kv),
                "the decoder's projections are square: the two must be equal");
  }
  return text;
}

}  // namespace

Pix2StructConfig ParsePix2StructConfig(const Json& config) {
  Pix2StructConfig parsed;
  parsed.vision = ParseVision(ConfigPart(config, "vision_config"));
  parsed.text = ParseText(config, ConfigPart(config, "text_config"));
  parsed.is_vqa = config.GetBool("is_vqa", false);
  parsed.tied_embeddings = config.GetBool("tie_word_embeddings", false);
  if (parsed.vision.hidden_size != parsed.text.hidden_size) {
    ConfigError(
        config, "vision_config.hidden_size",
        fmt::format("is {}, but text_config.hidden_size is {}", parsed.vision.hidden_size,
                    parsed.text.hidden_size),
        "the decoder reads the encoder's result without a layer between: both must be equal");
  }
  if (parsed.vision.patch_width % 3 != 0) {
    ConfigError(config, "vision_config.patch_embed_hidden_size",
                fmt::format("is {}, which is not 3 colours times a patch's area",
                            parsed.vision.patch_width));
  }
  return parsed;
}

}  // namespace vernier
