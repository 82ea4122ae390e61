#include "models/vit/config.h"

#include "support/config_refusal.h"

namespace vernier {
namespace {

VitConfig Parse(const std::string& text) {
  return ParseVitConfig(Json::Parse(text, "some/config.json"));
}

void ExpectRefused(const std::string& text, const std::string& message) {
  ExpectConfigRefused(Parse, text, message);
}

TEST(VitConfig, TakesTheFormatsDefaultsForAbsentFields) {
  const VitConfig vit = Parse("{}");
  EXPECT_EQ(vit.hidden_size, 768);
  EXPECT_EQ(vit.layers, 12);
  EXPECT_EQ(vit.heads, 12);
  EXPECT_EQ(vit.head_dim, 64);
  EXPECT_EQ(vit.intermediate_size, 3072);
  EXPECT_EQ(vit.activation, ActivationKind::kGelu);
  EXPECT_EQ(vit.layer_norm_eps, 1e-12);
  EXPECT_EQ(vit.grid_rows(), 14);
  EXPECT_TRUE(vit.qkv_bias);
  EXPECT_EQ(vit.pooler_size, 768);
  EXPECT_EQ(vit.pooler_activation, ActivationKind::kTanh);
  EXPECT_FALSE(vit.classifier);
  EXPECT_EQ(vit.labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
}

TEST(VitConfig, ReadsWhatTheFileSays) {
  const VitConfig vit = Parse(R"({"architectures": ["ViTForImageClassification"],
      "hidden_size": 40, "num_attention_heads": 5, "image_size": [32, 48], "patch_size": 8,
      "hidden_act": "gelu_new", "qkv_bias": false, "pooler_output_size": 24, "pooler_act": "relu",
      "id2label": {"1": "dog", "0": "cat", "2": "fish"}})");
  EXPECT_TRUE(vit.classifier);
  EXPECT_EQ(vit.head_dim, 8);
  EXPECT_EQ(vit.grid_rows(), 4);
  EXPECT_EQ(vit.grid_columns(), 6);
  EXPECT_EQ(vit.activation, ActivationKind::kGeluTanh);
  EXPECT_FALSE(vit.qkv_bias);
  EXPECT_EQ(vit.pooler_size, 24);
  EXPECT_EQ(vit.pooler_activation, ActivationKind::kRelu);
  EXPECT_EQ(vit.labels, (std::vector<std::string>{"cat", "dog", "fish"}));
}

TEST(VitConfig, RefusesNumbersOutOfBounds) {
  ExpectRefused(R"({"num_attention_heads": 0})", "num_attention_heads is 0, expected 1 to 4096");
  ExpectRefused(R"({"num_hidden_layers": 2147483648})",
                "num_hidden_layers is 2147483648, expected 1 to 1024");
  ExpectRefused(R"({"num_hidden_layers": 0})", "num_hidden_layers is 0, expected 1 to 1024");
  ExpectRefused(R"({"hidden_size": -768})", "hidden_size is -768, expected 1 to 65536");
  ExpectRefused(R"({"intermediate_size": 65537})",
                "intermediate_size is 65537, expected 1 to 65536");
  ExpectRefused(R"({"image_size": 0})", "image_size is 0, expected 1 to 16384");
  ExpectRefused(R"({"image_size": [224, -1]})", "image_size holds -1, expected 1 to 16384");
  ExpectRefused(R"({"image_size": [1, 2, 3]})", "image_size must be one number or [height, width]");
  ExpectRefused(R"({"patch_size": 0})", "patch_size is 0, expected 1 to 1024");
  ExpectRefused(R"({"num_channels": 5})", "num_channels is 5, expected 1 to 4");
  ExpectRefused(R"({"layer_norm_eps": -1e-5})", "layer_norm_eps must lie between 0 and 1");
  ExpectRefused(R"({"layer_norm_eps": 1})", "layer_norm_eps must lie between 0 and 1");
  ExpectRefused(R"({"pooler_output_size": 0})", "pooler_output_size is 0, expected 1 to 65536");
  ExpectRefused(R"({"num_labels": 0})", "num_labels is 0, expected 1 to 65536");
  ExpectRefused(R"({"hidden_size": 768.5})", "hidden_size");
  ExpectRefused(R"({"hidden_size": "768"})", "hidden_size");
}

TEST(VitConfig, RefusesSizesThatDoNotFitEachOther) {
  ExpectRefused(R"({"hidden_size": 770})",
                "hidden_size is 770, which num_attention_heads = 12 does not divide");
  ExpectRefused(R"({"hidden_size": 1024, "num_attention_heads": 2})",
                "num_attention_heads gives heads of 512 channels, the limit is 256");
  ExpectRefused(R"({"image_size": 15})", "patch_size 16x16 is larger than the image 15x15");
  ExpectRefused(R"({"image_size": 16384, "patch_size": 1})",
                "patch_size gives too many patches for the image size");
}

TEST(VitConfig, RefusesWhatItDoesNotKnow) {
  ExpectRefused(R"({"hidden_act": "mish"})", "hidden_act is \"mish\", which is not supported");
  ExpectRefused(R"({"hidden_act": "mish"})", "known are gelu, gelu_new");
  ExpectRefused(R"({"pooler_act": "softmax"})", "pooler_act is \"softmax\"");
  ExpectRefused(R"({"architectures": ["SwinModel"]})",
                "architectures names SwinModel, which is not supported");
  ExpectRefused(R"({"architectures": ["SwinModel"]})",
                "supported are ViTModel and ViTForImageClassification");
}

TEST(VitConfig, RefusesLabelsThatAreNotNumberedThrough) {
  ExpectRefused(R"({"id2label": {"0": "a", "2": "b"}})",
                "id2label has the key \"2\", expected 0 to 1");
  ExpectRefused(R"({"id2label": {"zero": "a"}})", "has the key \"zero\", expected 0 to 0");
  ExpectRefused(R"({"id2label": {"-1": "a"}})", "has the key \"-1\", expected 0 to 0");
  ExpectRefused(R"({"id2label": {"0x": "a"}})", "has the key \"0x\", expected 0 to 0");
  ExpectRefused(R"({"id2label": {"0": "a", "00": "b"}})", "names the label 0 twice");
  ExpectRefused(R"({"id2label": {}})", "id2label names 0 labels");
  ExpectRefused(R"({"id2label": {"0": 7}})", "id2label.0");
}

}  // namespace
}  // namespace vernier
