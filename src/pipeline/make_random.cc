#include "pipeline/make_random.h"

#include <filesystem>
#include <map>

#include "io/atomic_file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/system_error.h"
#include "models/names.h"
#include "models/pe/model.h"
#include "models/vit/model.h"
#include "pipeline/loaded_model.h"
#include "pipeline/random_weights.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

// A graph and how its weights are called in a file.
struct Blueprint {
  Graph graph;
  std::span<const NameRule> rules;  // empty for canonical names
};

Blueprint BlueprintOf(const Json& config, const std::string& where) {
  if (FamilyOfConfig(config, where) == Family::kVit) {
    const VitConfig vit = ParseVitConfig(config);
    return {VitGraph(vit, {.pooler = !vit.classifier, .classifier = vit.classifier}), {}};
  }
  if (IsTimmPeConfig(config)) return {PeGraph(ParseTimmPeConfig(config)), PeNameRules()};
  return {PeGraph(ParseOriginalPeConfig(config)), {}};
}

void CopyBeside(const fs::path& config, const char* name, const fs::path& folder) {
  const fs::path source = config.parent_path() / name;
  std::error_code error;
  if (!fs::exists(source, error)) return;
  fs::copy_file(source, folder / name, fs::copy_options::overwrite_existing, error);
  if (error) ThrowSystemError("write", (folder / name).string(), error.value());
}

}  // namespace

RandomCheckpoint MakeRandomCheckpoint(const std::string& config, const std::string& folder,
                                      uint64_t seed) {
  const fs::path file =
      fs::is_directory(config) ? fs::path(config) / "config.json" : fs::path(config);
  const Json parsed = Json::ParseFile(file.string());
  const Blueprint blueprint = BlueprintOf(parsed, file.string());
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) ThrowSystemError("make folder", folder, error.value());

  RandomCheckpoint made;
  std::vector<TensorToWrite> tensors;
  std::map<std::string, std::string> canonical;
  for (int id : blueprint.graph.weights()) {
    const ValueInfo& weight = blueprint.graph.value(id);
    const std::string name = ToDialect(weight.name, blueprint.rules);
    canonical.emplace(name, weight.name);
    tensors.push_back({name, DType::kF32, WeightShape(weight)});
    made.bytes += tensors.back().shape.elements() * static_cast<int64_t>(sizeof(float));
  }
  made.tensors = static_cast<int64_t>(tensors.size());
  WriteSafetensors((fs::path(folder) / "model.safetensors").string(), std::move(tensors),
                   [&](const TensorToWrite& wanted) {
                     return RandomWeight(canonical.at(wanted.name), wanted.shape, seed);
                   });
  CopyBeside(file, "preprocessor_config.json", folder);
  WriteFileAtomically((fs::path(folder) / "config.json").string(), parsed.Pretty());
  return made;
}

}  // namespace vernier
