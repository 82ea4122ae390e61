#include "models/names.h"

#include "models/pe/model.h"
#include "models/vit/model.h"

namespace vernier {
namespace {

TEST(Names, OfTransformersFiveMapBothWays) {
  const std::pair<const char*, const char*> pairs[] = {
      {"encoder.layer.3.attention.attention.query.weight", "layers.3.attention.q_proj.weight"},
      {"encoder.layer.3.attention.output.dense.bias", "layers.3.attention.o_proj.bias"},
      {"encoder.layer.11.intermediate.dense.weight", "layers.11.mlp.fc1.weight"},
      {"encoder.layer.11.output.dense.weight", "layers.11.mlp.fc2.weight"},
      {"encoder.layer.0.layernorm_before.weight", "layers.0.layernorm_before.weight"},
      {"embeddings.cls_token", "embeddings.cls_token"},
      {"pooler.dense.weight", "pooler.dense.weight"}};
  for (const auto& [canonical, dialect] : pairs) {
    EXPECT_EQ(ToDialect(canonical, VitNameRules()), dialect);
    EXPECT_EQ(ToCanonical(dialect, VitNameRules()), canonical);
  }
}

TEST(Names, OfTimmMapBothWays) {
  const std::pair<const char*, const char*> pairs[] = {
      {"transformer.resblocks.0.attn.in_proj_weight", "blocks.0.attn.qkv.weight"},
      {"transformer.resblocks.0.attn.in_proj_bias", "blocks.0.attn.qkv.bias"},
      {"transformer.resblocks.0.attn.out_proj.weight", "blocks.0.attn.proj.weight"},
      {"transformer.resblocks.22.ls_1.gamma", "blocks.22.gamma_1"},
      {"transformer.resblocks.22.mlp.c_proj.bias", "blocks.22.mlp.fc2.bias"},
      {"transformer.resblocks.1.ln_2.bias", "blocks.1.norm2.bias"},
      {"ln_pre.weight", "norm_pre.weight"},
      {"conv1.weight", "patch_embed.proj.weight"},
      {"class_embedding", "cls_token"},
      {"positional_embedding", "pos_embed"}};
  for (const auto& [canonical, dialect] : pairs) {
    EXPECT_EQ(ToDialect(canonical, PeNameRules()), dialect);
    EXPECT_EQ(ToCanonical(dialect, PeNameRules()), canonical);
  }
}

TEST(Names, ChangeWholePartsOnly) {
  EXPECT_EQ(ToDialect("my_encoder.layer.0", VitNameRules()), "my_encoder.layer.0");
  EXPECT_EQ(ToDialect("encoder.layers.0", VitNameRules()), "encoder.layers.0");
  EXPECT_EQ(ToDialect("", VitNameRules()), "");
}

TEST(Names, OfOtherDialectsFindTheSameValues) {
  VitConfig config;
  config.layers = 1;
  Graph vit = VitGraph(config, {.pooler = true});
  AddDialectAliases(vit, VitNameRules());
  EXPECT_EQ(vit.Find("layers.0.attention.q_proj"),
            vit.Find("encoder.layer.0.attention.attention.query"));
  EXPECT_NE(vit.Find("layers.0.attention.q_proj"), kNoValue);
  Graph pe = PeGraph(PeConfig{.layers = 1});
  AddDialectAliases(pe, PeNameRules());
  for (const char* name :
       {"patch_embed", "norm_pre.input", "norm_pre", "blocks.0", "blocks.0.norm1",
        "blocks.0.attn.qkv", "blocks.0.attn.q_rotated", "blocks.0.attn.k_rotated",
        "blocks.0.attn.proj.input", "blocks.0.attn.proj", "blocks.0.norm2", "blocks.0.mlp.fc1",
        "blocks.0.mlp.fc2"}) {
    EXPECT_NE(pe.Find(name), kNoValue) << name;
  }
}

}  // namespace
}  // namespace vernier
