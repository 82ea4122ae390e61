#include "models/paddleocr_vl/config.h"

#include "support/config_refusal.h"

namespace vernier {
namespace {

PaddleOcrVlConfig Parse(const std::string& text) {
  return ParsePaddleOcrVlConfig(Json::Parse(text, "some/config.json"));
}

void ExpectRefused(const std::string& text, const std::string& message) {
  ExpectConfigRefused(Parse, text, message);
}

TEST(PaddleOcrVlConfig, TakesTheDefaultsOfTransformers) {
  for (const char* text : {"{}", R"({"vision_config": null, "text_config": {}})"}) {
    const PaddleOcrVlConfig config = Parse(text);
    EXPECT_EQ(config.vision.hidden_size, 1152);
    EXPECT_EQ(config.vision.head_dim(), 72);
    EXPECT_EQ(config.vision.grid(), 27);
    EXPECT_EQ(config.vision.merged_width(), 4608);
    EXPECT_EQ(config.vision.activation, ActivationKind::kGeluTanh);
    EXPECT_EQ(config.vision.rope_theta, 10000.0);
    EXPECT_EQ(config.text.vocab_size, 103424);
    EXPECT_EQ(config.text.attention_width(), 2048);
    EXPECT_EQ(config.text.cache_width(), 256);
    EXPECT_EQ(config.text.activation, ActivationKind::kSilu);
    EXPECT_EQ(config.text.rope_theta, 500000.0);
    EXPECT_EQ(config.text.mrope_section, (std::array<int64_t, 3>{16, 24, 24}));
    EXPECT_EQ(config.text.eos_token_ids, std::vector<int64_t>{2});
    EXPECT_EQ(config.image_token_id, 100295);
    EXPECT_TRUE(config.tied_embeddings);
  }
}

TEST(PaddleOcrVlConfig, ReadsTheFlatLayoutOfThePublishedCheckpoint) {
  const PaddleOcrVlConfig config = Parse(R"({
    "hidden_size": 40, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "vocab_size": 610, "image_token_id": 6, "vision_start_token_id": 1, "vision_end_token_id": 2,
    "eos_token_id": [2, 9], "rope_theta": 7.0, "sliding_window": null, "use_3d_rope": true,
    "rope_scaling": {"mrope_section": [2, 3, 3], "type": "default", "rope_type": "default"},
    "tie_word_embeddings": false, "vision_config": {"hidden_size": 64, "patch_size": 8}})");
  EXPECT_EQ(config.text.hidden_size, 40);
  EXPECT_EQ(config.text.mrope_section, (std::array<int64_t, 3>{2, 3, 3}));
  EXPECT_EQ(config.text.rope_theta, 7.0);
  EXPECT_EQ(config.text.eos_token_ids, (std::vector<int64_t>{2, 9}));
  EXPECT_EQ(config.vision.hidden_size, 64);
  EXPECT_EQ(config.image_token_id, 6);
  EXPECT_FALSE(config.tied_embeddings);
}

TEST(PaddleOcrVlConfig, ReadsTheNestedLayoutOfTransformersFive) {
  const PaddleOcrVlConfig config = Parse(R"({
    "image_token_id": 6, "vision_start_token_id": 1, "vision_end_token_id": 2,
    "text_config": {"hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": null,
      "head_dim": null, "vocab_size": 610, "use_bias": true, "pad_token_id": 3,
      "rope_parameters": {"mrope_section": [1, 2, 3], "rope_theta": 100.0}},
    "vision_config": {"hidden_size": 36, "num_attention_heads": 3, "hidden_act": "gelu",
      "rope_parameters": {"rope_type": "axial", "rope_theta": 400.0}}})");
  EXPECT_EQ(config.text.hidden_size, 48);
  EXPECT_EQ(config.text.kv_heads, 4);
  EXPECT_EQ(config.text.head_dim, 12);
  EXPECT_TRUE(config.text.use_bias);
  EXPECT_EQ(config.text.rope_theta, 100.0);
  EXPECT_EQ(config.text.pad_token_id, 3);
  EXPECT_EQ(config.vision.head_dim(), 12);
  EXPECT_EQ(config.vision.activation, ActivationKind::kGelu);
  EXPECT_EQ(config.vision.rope_theta, 400.0);
}

TEST(PaddleOcrVlConfig, RefusesHeadsThatDoNotFit) {
  ExpectRefused(R"({"num_key_value_heads": 3})",
                "num_key_value_heads is 3, by which 16 attention heads cannot be divided");
  ExpectRefused(R"({"head_dim": 96})", "head_dim is 96, but mrope_section is [16, 24, 24]");
  ExpectRefused(R"({"head_dim": 127})", "head_dim is 127, but mrope_section is [16, 24, 24]");
  ExpectRefused(R"({"rope_scaling": {"mrope_section": [64, 64]}})",
                "mrope_section has 2 entries, expected 3");
  ExpectRefused(R"({"rope_scaling": {"mrope_section": [-64, 64, 64]}})",
                "mrope_section holds -64, expected 0 to 256");
  ExpectRefused(R"({"vision_config": {"num_attention_heads": 5}})",
                "num_attention_heads is 5 for hidden_size 1152: heads must be equally wide");
  ExpectRefused(R"({"vision_config": {"hidden_size": 36, "num_attention_heads": 2}})",
                "by a multiple of 4 up to 256");
  ExpectRefused(R"({"num_attention_heads": 4096, "num_key_value_heads": 2})",
                "num_attention_heads times head_dim is 524288, expected at most 65536");
}

TEST(PaddleOcrVlConfig, RefusesNumbersOutOfBounds) {
  ExpectRefused(R"({"hidden_size": 4611686018427387904})", "hidden_size is 4611686018427387904");
  ExpectRefused(R"({"vocab_size": 4000001})", "vocab_size is 4000001, expected 2 to 4000000");
  ExpectRefused(R"({"num_hidden_layers": 0})", "num_hidden_layers is 0, expected 1 to 1024");
  ExpectRefused(R"({"image_token_id": 103424})", "image_token_id is 103424");
  ExpectRefused(R"({"eos_token_id": [2, -1]})", "eos_token_id holds -1, expected 0 to 103423");
  ExpectRefused(R"({"rms_norm_eps": -1})", "rms_norm_eps must lie between 0 and 1");
  ExpectRefused(R"({"rope_theta": 0})", "rope_theta must be a positive number");
  ExpectRefused(R"({"head_dim": 258})", "head_dim is 258, expected 2 to 256");
  ExpectRefused(R"({"vision_config": {"num_channels": 1}})", "num_channels is 1, expected 3 to 3");
  ExpectRefused(R"({"vision_config": {"patch_size": 0}})", "patch_size is 0, expected 1 to 1024");
  ExpectRefused(R"({"vision_config": {"image_size": 13}})",
                "image_size is 13, expected 14 to 16384");
  ExpectRefused(R"({"vision_config": {"hidden_size": 65536, "num_attention_heads": 256}})",
                "spatial_merge_size joins 262144 numbers into one row, expected at most 65536");
}

TEST(PaddleOcrVlConfig, RefusesWhatWouldChangeTheNumbers) {
  ExpectRefused(R"({"rope_scaling": {"rope_type": "yarn"}})",
                "rope_type is \"yarn\", which is not supported");
  ExpectRefused(R"({"rope_scaling": {"type": "linear"}})",
                "type is \"linear\", which is not supported");
  ExpectRefused(R"({"sliding_window": 4096})", "sliding_window is set, which is not supported");
  ExpectRefused(R"({"hidden_act": "mish"})", "hidden_act is \"mish\", which is not supported");
}

}  // namespace
}  // namespace vernier
