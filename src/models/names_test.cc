#include "models/names.h"

#include <filesystem>
#include <set>

#include "io/json.h"
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

TEST(Names, OfPatchesHaveTheShapeOfTheModuleThatTheCheckpointWasMadeFor) {
  PeConfig config{.layers = 1, .semantics = PeSemantics::kTimm, .dynamic_image_size = true};
  config.reference_rows = config.reference_columns = 32;
  const auto rank = [](const Graph& graph) {
    return graph.values()[graph.Find("patch_embed")].type.rank();
  };
  EXPECT_EQ(rank(PeGraph(config)), 4);
  config.dynamic_image_size = false;
  EXPECT_EQ(rank(PeGraph(config)), 3);
  EXPECT_EQ(rank(PeGraph(PeConfig{.layers = 1})), 3);
}

// Every value that the golden dumps of a family hold, by hidden and output names.
std::set<std::string> GoldenNames(const std::string& family) {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(VERNIER_TEST_DATA "/goldens/" + family)) {
    const std::string file = entry.path() / "case.json";
    if (!std::filesystem::exists(file)) continue;
    const Json golden = Json::ParseFile(file);
    for (const char* group : {"hidden", "outputs"}) {
      for (const JsonMember& member : golden.GetObject(group).members()) names.insert(member.key);
    }
  }
  return names;
}

Graph SmallVit() {
  VitConfig config;
  config.layers = 3;
  config.labels = {"a", "b"};
  Graph graph = VitGraph(config, {.pooler = true, .classifier = true});
  AddDialectAliases(graph, VitNameRules());
  return graph;
}

Graph SmallPe() {
  Graph graph = PeGraph(PeConfig{.layers = 3});
  AddDialectAliases(graph, PeNameRules());
  return graph;
}

TEST(Names, OfTheGoldenDumpsAreAllFound) {
  const Graph vit = SmallVit(), pe = SmallPe();
  const auto vit_names = GoldenNames("vit"), pe_names = GoldenNames("pe_lang");
  EXPECT_GE(vit_names.size(), 20u);
  EXPECT_GE(pe_names.size(), 18u);
  for (const std::string& name : vit_names) EXPECT_NE(vit.Find(name), kNoValue) << name;
  for (const std::string& name : pe_names) EXPECT_NE(pe.Find(name), kNoValue) << name;
}

TEST(Names, OfAModuleAndItsLastChildAreOneTensor) {
  const Graph vit = SmallVit(), pe = SmallPe();
  const std::pair<const char*, const char*> vit_pairs[] = {
      {"encoder.layer.0.output", "encoder.layer.0"},
      {"encoder.layer.0.attention", "encoder.layer.0.attention.output.dense"},
      {"encoder.layer.0.attention.output", "encoder.layer.0.attention.output.dense"},
      {"encoder.layer.0.attention.attention", "encoder.layer.0.attention.context"},
      {"encoder.layer.1.intermediate.intermediate_act_fn", "encoder.layer.1.intermediate"},
      {"layers.1.mlp", "encoder.layer.1.output.dense"},
      {"layers.1.attention", "encoder.layer.1.attention.output.dense"},
      {"encoder", "encoder.layer.2"},
      {"layernorm", "last_hidden_state"},
      {"pooler.activation", "pooler_output"}};
  for (const auto& [module, tensor] : vit_pairs) {
    EXPECT_NE(vit.Find(module), kNoValue) << module;
    EXPECT_EQ(vit.Find(module), vit.Find(tensor)) << module;
  }
  const std::pair<const char*, const char*> pe_pairs[] = {
      {"transformer", "transformer.resblocks.2"},
      {"transformer.resblocks.0.mlp", "transformer.resblocks.0.mlp.c_proj"},
      {"transformer.resblocks.0.attn", "transformer.resblocks.0.attn.out_proj"},
      {"blocks.1.mlp", "blocks.1.mlp.fc2"},
      {"blocks.1.attn", "blocks.1.attn.proj"},
      {"blocks.1.attn.norm", "blocks.1.attn.proj.input"},
      {"blocks.1.drop_path2", "transformer.resblocks.1.ls_2"},
      {"blocks.1.mlp.drop1", "transformer.resblocks.1.mlp.gelu"},
      {"pos_drop", "norm_pre.input"},
      {"norm", "features"},
      {"head", "pooled_avg"},
      {"blocks.2", "features"}};
  for (const auto& [module, tensor] : pe_pairs) {
    EXPECT_NE(pe.Find(module), kNoValue) << module;
    EXPECT_EQ(pe.Find(module), pe.Find(tensor)) << module;
  }
}

TEST(Names, AreEachTakenByOneTensor) {
  for (const Graph& graph : {SmallVit(), SmallPe()}) {
    for (size_t id = 0; id < graph.values().size(); ++id) {
      for (const std::string& alias : graph.values()[id].aliases) {
        EXPECT_EQ(graph.Find(alias), static_cast<int>(id)) << alias;
      }
    }
  }
}

}  // namespace
}  // namespace vernier
