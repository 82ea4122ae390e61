#include "pipeline/make_random.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "core/float_types.h"
#include "io/atomic_file.h"
#include "io/checkpoint_files.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/system_error.h"
#include "models/blendmask/model.h"
#include "models/names.h"
#include "models/paddleocr_vl/model.h"
#include "models/pe/model.h"
#include "models/pix2struct/decoder.h"
#include "models/pix2struct/encoder.h"
#include "models/vit/model.h"
#include "pipeline/loaded_model.h"
#include "pipeline/model_config.h"
#include "pipeline/random_weights.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

// A model's graphs and how their weights are called in a file.
struct Blueprint {
  std::vector<Graph> graphs;
  std::span<const NameRule> rules = {};  // empty for canonical names
};

Blueprint BlueprintOf(const Json& config, const std::string& where) {
  const Family family = FamilyOfConfig(config, where);
  if (family == Family::kVit) {
    const VitConfig vit = ParseVitConfig(config);
    return {{VitGraph(vit, {.pooler = !vit.classifier, .classifier = vit.classifier})}};
  }
  if (family == Family::kPix2Struct) {
    const Pix2StructConfig parsed = ParsePix2StructConfig(config);
    return {{Pix2StructEncoderGraph(parsed), Pix2StructMemoryGraph(parsed),
             Pix2StructDecoderGraph(parsed, LogitsAt::kEveryToken)}};
  }
  if (family == Family::kPaddleOcrVl) {
    const PaddleOcrVlConfig parsed = ParsePaddleOcrVlConfig(config);
    return {{PaddleOcrVlVisionGraph(parsed),
             PaddleOcrVlDecoderGraph(parsed, LogitsAt::kEveryToken, PaddleOcrVlPictures::kPlaced)}};
  }
  if (family == Family::kBlendMask) return {{BlendMaskGraph(ParseBlendMaskConfig(config))}};
  if (IsTimmPeConfig(config)) return {{PeGraph(ParseTimmPeConfig(config))}, PeNameRules()};
  return {{PeGraph(ParseOriginalPeConfig(config))}};
}

// As the configuration says that the published weights are stored, in either spelling.
DType StorageOf(const Json& config) {
  const std::string fallback = config.GetString("torch_dtype", "float32");
  return config.GetString("dtype", fallback) == "bfloat16" ? DType::kBF16 : DType::kF32;
}

Tensor StoredAs(DType dtype, Tensor weight) {
  if (dtype == DType::kF32) return weight;
  Tensor stored(dtype, weight.shape());
  std::ranges::transform(weight.as<float>(), static_cast<uint16_t*>(stored.data()), ToBf16);
  return stored;
}

// Weights that somebody trained cannot be made again, nor a configuration that was written for
// them.
void RefuseToReplace(const fs::path& folder, const fs::path& config) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool own_config = name == "config.json" && !fs::equivalent(entry.path(), config, error);
    if (!MayBeWeights(name) && !own_config) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("{} is there already: random weights go into a folder without a model",
                            entry.path().string()),
                "name a new folder, or delete this one");
  }
}

void CopyBeside(const fs::path& config, const char* name, const fs::path& folder) {
  const fs::path source = config.parent_path() / name;
  std::error_code error;
  if (!fs::exists(source, error) || fs::equivalent(source, folder / name, error)) return;
  fs::copy_file(source, folder / name, fs::copy_options::overwrite_existing, error);
  if (error) ThrowSystemError("write", (folder / name).string(), error.value());
}

}  // namespace

RandomCheckpoint MakeRandomCheckpoint(const std::string& config, const std::string& folder,
                                      uint64_t seed) {
  const bool is_folder = fs::is_directory(config);
  const fs::path file = is_folder ? fs::path(config) / "config.json" : fs::path(config);
  const Json parsed = is_folder ? FindModelConfig(config) : ReadModelConfig(config);
  if (parsed.is_null()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: there is no configuration", config),
                "give a config.json, AdelaiDet's yaml, or a folder that holds one");
  }
  const Blueprint blueprint = BlueprintOf(parsed, file.string());
  RefuseToReplace(folder, file);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) ThrowSystemError("make folder", folder, error.value());

  RandomCheckpoint made;
  const DType dtype = StorageOf(parsed);
  std::vector<TensorToWrite> tensors;
  std::map<std::string, std::string> canonical;
  for (const Graph& graph : blueprint.graphs) {
    for (int id : graph.weights()) {
      const ValueInfo& weight = graph.value(id);
      const std::string name = ToDialect(weight.name, blueprint.rules);
      if (!canonical.emplace(name, weight.name).second) continue;
      tensors.push_back({name, dtype, WeightShape(weight)});
      made.bytes += tensors.back().shape.elements() * static_cast<int64_t>(ByteSize(dtype));
    }
  }
  made.tensors = static_cast<int64_t>(tensors.size());
  WriteSafetensors((fs::path(folder) / "model.safetensors").string(), std::move(tensors),
                   [&](const TensorToWrite& wanted) {
                     return StoredAs(wanted.dtype,
                                     RandomWeight(canonical.at(wanted.name), wanted.shape, seed));
                   });
  for (const char* name : {"preprocessor_config.json", "generation_config.json", "tokenizer.json",
                           "tokenizer_config.json", "spiece.model", "tokenizer.model",
                           "processor_config.json", "chat_template.jinja"}) {
    CopyBeside(file, name, folder);
  }
  WriteFileAtomically((fs::path(folder) / "config.json").string(), parsed.Pretty());
  return made;
}

}  // namespace vernier
