#include "models/names.h"

#include <initializer_list>
#include <optional>

namespace vernier {
namespace {

std::string Replaced(std::string_view name, std::string_view from, std::string_view to) {
  std::string replaced;
  size_t copied = 0;
  for (size_t at = name.find(from); at != std::string_view::npos; at = name.find(from, at + 1)) {
    const size_t end = at + from.size();
    const bool starts = at == 0 || name[at - 1] == '.';
    const bool ends = end == name.size() || name[end] == '.';
    if (!starts || !ends || at < copied) continue;
    replaced.append(name.substr(copied, at - copied)).append(to);
    copied = end;
  }
  return replaced.append(name.substr(copied));
}

// "attention.output.dense" stands before "output.dense", which is a part of it.
constexpr NameRule kVitRules[] = {
    {"encoder.layer", "layers"},
    {"attention.attention.query", "attention.q_proj"},
    {"attention.attention.key", "attention.k_proj"},
    {"attention.attention.value", "attention.v_proj"},
    {"attention.output.dense", "attention.o_proj"},
    {"intermediate.dense", "mlp.fc1"},
    {"output.dense", "mlp.fc2"},
};

constexpr NameRule kPeRules[] = {
    {"transformer.resblocks", "blocks"},
    {"ln_pre", "norm_pre"},
    {"ln_1", "norm1"},
    {"ln_2", "norm2"},
    {"attn.in_proj_weight", "attn.qkv.weight"},
    {"attn.in_proj_bias", "attn.qkv.bias"},
    {"attn.in_proj", "attn.qkv"},
    {"attn.out_proj", "attn.proj"},
    {"ls_1.gamma", "gamma_1"},
    {"ls_2.gamma", "gamma_2"},
    {"mlp.c_fc", "mlp.fc1"},
    {"mlp.c_proj", "mlp.fc2"},
    {"conv1", "patch_embed.proj"},
    {"class_embedding", "cls_token"},
    {"positional_embedding", "pos_embed"},
};

void AddModules(Graph& graph, const Path& tensor, std::initializer_list<Path> modules) {
  const int value = graph.Find(tensor.text());
  if (value == kNoValue) return;
  for (const Path& module : modules) graph.AddAlias({&graph, value}, module.text());
}

}  // namespace

std::string ToDialect(std::string_view name, std::span<const NameRule> rules) {
  std::string renamed(name);
  for (const NameRule& rule : rules) renamed = Replaced(renamed, rule.canonical, rule.dialect);
  return renamed;
}

std::string ToCanonical(std::string_view name, std::span<const NameRule> rules) {
  std::string renamed(name);
  for (const NameRule& rule : rules) renamed = Replaced(renamed, rule.dialect, rule.canonical);
  return renamed;
}

void AddDialectAliases(Graph& graph, std::span<const NameRule> rules) {
  for (size_t id = 0; id < graph.values().size(); ++id) {
    const std::string& name = graph.values()[id].name;
    const std::string other = ToDialect(name, rules);
    if (other != name) graph.AddAlias(Value{&graph, static_cast<int>(id)}, other);
  }
}

void AddVitModuleAliases(Graph& graph, int64_t layers) {
  const Path root;
  AddModules(graph, root / "embeddings", {root / "embeddings.dropout"});
  for (int i = 0; i < static_cast<int>(layers); ++i) {
    const Path layer = root / "encoder.layer" / i, layer5 = root / "layers" / i;
    AddModules(graph, layer / "attention.context", {layer / "attention.attention"});
    AddModules(graph, layer / "attention.output.dense",
               {layer / "attention.output.dropout", layer / "attention.output", layer / "attention",
                layer5 / "attention"});
    AddModules(graph, layer / "intermediate",
               {layer / "intermediate.intermediate_act_fn", layer5 / "mlp.activation_fn"});
    AddModules(graph, layer / "output.dense", {layer / "output.dropout", layer5 / "mlp"});
    AddModules(graph, layer, {layer / "output"});  // it adds the residual itself
  }
  AddModules(graph, root / "encoder.layer" / static_cast<int>(layers - 1), {root / "encoder"});
  AddModules(graph, root / "pooler", {root / "pooler.activation"});
}

void AddPeModuleAliases(Graph& graph, int64_t layers) {
  const Path root;
  for (int i = 0; i < static_cast<int>(layers); ++i) {
    const Path block = root / "transformer.resblocks" / i, timm_block = root / "blocks" / i;
    AddModules(graph, block / "attn.out_proj.input", {timm_block / "attn.norm"});
    AddModules(graph, block / "attn.out_proj",
               {block / "attn", timm_block / "attn", timm_block / "attn.proj_drop"});
    AddModules(graph, block / "ls_1", {block / "drop_path1", timm_block / "drop_path1"});
    AddModules(graph, block / "mlp.gelu",
               {timm_block / "mlp.act", timm_block / "mlp.drop1", timm_block / "mlp.norm"});
    AddModules(graph, block / "mlp.c_proj",
               {block / "mlp", timm_block / "mlp", timm_block / "mlp.drop2"});
    AddModules(graph, block / "ls_2", {block / "drop_path2", timm_block / "drop_path2"});
  }
  AddModules(graph, root / "patch_embed", {root / "patch_embed.norm"});
  AddModules(graph, root / "ln_pre.input", {root / "pos_drop"});
  AddModules(graph, root / "transformer.resblocks" / static_cast<int>(layers - 1),
             {root / "transformer", root / "ln_post", root / "norm"});
  AddModules(graph, root / "pooled_avg", {root / "fc_norm", root / "head_drop", root / "head"});
}

void AddPix2StructEncoderModuleAliases(Graph& graph, int64_t layers) {
  const Path root("encoder");
  AddModules(graph, root / "embeddings", {root / "embeddings.dropout"});
  for (int i = 0; i < static_cast<int>(layers); ++i) {
    const Path layer = root / "encoder.layer" / i;
    AddModules(graph, layer / "attention.output", {layer / "attention"});
    AddModules(graph, layer / "mlp.wo", {layer / "mlp"});
  }
  AddModules(graph, root / "encoder.layer" / static_cast<int>(layers - 1), {root / "encoder"});
  AddModules(graph, root / "layernorm", {root});
}

namespace {

// By what a name begins with, and so one rule at most applies to it: parts repeat further inside.
struct PrefixRule {
  std::string_view published, native;
};
constexpr PrefixRule kPaddleOcrVlPrefixes[] = {
    {"visual", "model.visual"}, {"mlp_AR", "model.projector"}, {"model", "model.language_model"}};

// What follows a leading module, dot included; nothing where `name` begins with another.
std::optional<std::string_view> Behind(std::string_view name, std::string_view module) {
  if (!name.starts_with(module)) return {};
  name.remove_prefix(module.size());
  if (!name.empty() && name[0] != '.') return {};
  return name;
}

std::string Joined(std::string_view a, std::string_view b) { return std::string(a).append(b); }

std::optional<std::string> ShortPaddleOcrVlName(std::string_view name) {
  constexpr PrefixRule kModules[] = {
      {"visual.vision_model.encoder.rotary_pos_emb", "vision/rotary"},
      {"visual.vision_model.encoder.layers", "vision/layer"},
      {"visual.vision_model", "vision/"},
      {"model.rotary_emb", "text/rotary"},
      {"model.layers", "text/layer"},
      {"model", "text/"},
      {"mlp_AR", "projector/"}};
  if (name == "mlp_AR") return "projector/out";
  for (const auto& [module, short_name] : kModules) {
    const auto rest = Behind(name, module);
    if (!rest || rest->empty()) continue;
    return Joined(short_name, short_name.ends_with('/') ? rest->substr(1) : *rest);
  }
  return {};
}

void AddPaddleOcrVlModules(Graph& graph) {
  const Path vision("visual.vision_model"), text("model"), projector("mlp_AR");
  for (int i = 0; graph.Find((vision / "encoder.layers" / i).text()) != kNoValue; ++i) {
    const Path layer = vision / "encoder.layers" / i;
    AddModules(graph, layer / "self_attn.out_proj", {layer / "self_attn"});
    AddModules(graph, layer / "mlp.fc2", {layer / "mlp"});
    if (graph.Find((vision / "encoder.layers" / (i + 1)).text()) == kNoValue) {
      AddModules(graph, layer, {vision / "encoder"});
    }
  }
  AddModules(graph, vision / "post_layernorm", {vision, Path("visual")});
  AddModules(graph, projector / "linear_2", {projector});
  for (int i = 0; graph.Find((text / "layers" / i).text()) != kNoValue; ++i) {
    const Path layer = text / "layers" / i;
    AddModules(graph, layer / "self_attn.o_proj", {layer / "self_attn"});
    AddModules(graph, layer / "mlp.down_proj", {layer / "mlp"});
  }
  AddModules(graph, text / "norm", {text});
}

}  // namespace

void AddPaddleOcrVlAliases(Graph& graph) {
  AddPaddleOcrVlModules(graph);
  for (size_t id = 0; id < graph.values().size(); ++id) {
    const Value value{&graph, static_cast<int>(id)};
    const ValueInfo& info = graph.values()[id];
    const bool is_result = info.kind == ValueKind::kResult;
    std::vector<std::string> names = info.aliases;
    names.push_back(info.name);
    for (const std::string& name : names) {
      for (const PrefixRule& rule : kPaddleOcrVlPrefixes) {
        if (const auto rest = Behind(name, rule.published)) {
          graph.AddAlias(value, Joined(rule.native, *rest));
        }
      }
      const auto short_name = is_result ? ShortPaddleOcrVlName(name) : std::nullopt;
      if (short_name) graph.AddAlias(value, *short_name);
    }
  }
}

std::string PublishedPaddleOcrVlName(std::string_view name) {
  for (const PrefixRule& rule : kPaddleOcrVlPrefixes) {
    if (const auto rest = Behind(name, rule.native)) return Joined(rule.published, *rest);
  }
  return std::string(name);
}

std::span<const NameRule> VitNameRules() { return kVitRules; }
std::span<const NameRule> PeNameRules() { return kPeRules; }

}  // namespace vernier
