#include "models/pix2struct/config.h"

#include "support/config_refusal.h"

namespace vernier {
namespace {

Pix2StructConfig Parse(const std::string& text) {
  return ParsePix2StructConfig(Json::Parse(text, "some/config.json"));
}

void ExpectRefused(const std::string& text, const std::string& message) {
  ExpectConfigRefused(Parse, text, message);
}

TEST(Pix2StructConfig, TakesTheBaseSizeForAbsentHalvesAndFields) {
  for (const char* text : {"{}", R"({"vision_config": null, "text_config": {}})"}) {
    const Pix2StructConfig config = Parse(text);
    EXPECT_EQ(config.vision.hidden_size, 768);
    EXPECT_EQ(config.vision.patch_width, 768);
    EXPECT_EQ(config.vision.attention_width(), 768);
    EXPECT_EQ(config.vision.seq_len, 4096);
    EXPECT_EQ(config.vision.activation, ActivationKind::kGeluTanh);
    EXPECT_EQ(config.text.vocab_size, 50244);
    EXPECT_EQ(config.text.relative_attention_buckets, 32);
    EXPECT_EQ(config.text.relative_attention_max_distance, 128);
    EXPECT_EQ(config.text.eos_token_ids, std::vector<int64_t>{1});
    EXPECT_EQ(config.text.decoder_start_token_id, 0);
    EXPECT_FALSE(config.is_vqa);
    EXPECT_FALSE(config.tied_embeddings);
  }
}

TEST(Pix2StructConfig, ReadsTheTwoHalvesUnderTheirOwnKeys) {
  const Pix2StructConfig config = Parse(R"({"is_vqa": true, "tie_word_embeddings": true,
      "vision_config": {"hidden_size": 40, "d_kv": 16, "num_attention_heads": 2, "d_ff": 64,
        "layer_norm_eps": 1e-5, "dense_act_fn": "relu", "num_hidden_layers": 3, "seq_len": 64},
      "text_config": {"hidden_size": 40, "d_kv": 8, "num_heads": 5, "num_layers": 2,
        "layer_norm_epsilon": 1e-3, "dense_act_fn": "gelu", "vocab_size": 300,
        "eos_token_id": [1, 7], "pad_token_id": 3}, "decoder_start_token_id": 3})");
  EXPECT_TRUE(config.is_vqa);
  EXPECT_TRUE(config.tied_embeddings);
  EXPECT_EQ(config.vision.attention_width(), 32);
  EXPECT_EQ(config.vision.layer_norm_eps, 1e-5);
  EXPECT_EQ(config.vision.activation, ActivationKind::kRelu);
  EXPECT_EQ(config.text.layer_norm_eps, 1e-3);
  EXPECT_EQ(config.text.activation, ActivationKind::kGelu);
  EXPECT_EQ(config.text.eos_token_ids, (std::vector<int64_t>{1, 7}));
  EXPECT_EQ(config.text.pad_token_id, 3);
  EXPECT_EQ(config.text.decoder_start_token_id, 3);
}

TEST(Pix2StructConfig, RefusesWidthsThatDoNotFitNamingBoth) {
  ExpectRefused(R"({"text_config": {"num_heads": 11}})",
                "hidden_size is 768, but num_heads · d_kv = 11 · 64 = 704");
  ExpectRefused(R"({"vision_config": {"hidden_size": 1536}})",
                "vision_config.hidden_size is 1536, but text_config.hidden_size is 768");
  ExpectRefused(R"({"vision_config": {"patch_embed_hidden_size": 770}})",
                "patch_embed_hidden_size is 770, which is not 3 colours times a patch's area");
}

TEST(Pix2StructConfig, RefusesNumbersOutOfBounds) {
  ExpectRefused(R"({"vision_config": {"num_hidden_layers": 0}})", "num_hidden_layers is 0");
  ExpectRefused(R"({"vision_config": {"d_kv": 512}})", "d_kv is 512, expected 1 to 256");
  ExpectRefused(R"({"vision_config": {"seq_len": 1}})", "seq_len is 1, expected 2 to 262144");
  ExpectRefused(R"({"vision_config": {"layer_norm_eps": -1}})", "must lie between 0 and 1");
  ExpectRefused(R"({"vision_config": {"dense_act_fn": "mish"}})",
                "dense_act_fn is \"mish\", which is not supported");
  ExpectRefused(R"({"text_config": {"vocab_size": 1}})", "vocab_size is 1");
  ExpectRefused(R"({"text_config": {"eos_token_id": 60000}})",
                "eos_token_id is 60000, expected 0 to 50243");
  ExpectRefused(R"({"text_config": {"eos_token_id": [1, -4]}})",
                "eos_token_id holds -4, expected 0 to 50243");
  ExpectRefused(R"({"text_config": {"relative_attention_max_distance": 16}})",
                "relative_attention_max_distance is 16, expected 17 to 1048576");
}

}  // namespace
}  // namespace vernier
