#include "pipeline/model_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <vector>

#include "io/yacs.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

bool IsYaml(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

std::vector<std::string> YamlFilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (IsYaml(entry.path())) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

Json ReadModelConfig(const std::string& file) {
  return IsYaml(file) ? ReadYacs(file) : Json::ParseFile(file);
}

Json FindModelConfig(const std::string& folder) {
  const std::string json = folder + "/config.json";
  if (fs::exists(json)) return Json::ParseFile(json);
  std::vector<std::string> models;
  std::set<std::string> bases;
  for (const std::string& file : YamlFilesIn(folder)) {
    const std::vector<std::string> chain = YacsChain(file);
    std::error_code error;
    for (size_t i = 1; i < chain.size(); ++i) bases.insert(fs::canonical(chain[i], error).string());
    if (ReadYacs(file).Has("MODEL")) models.push_back(file);
  }
  std::erase_if(models, [&](const std::string& file) {
    std::error_code error;
    return bases.contains(fs::canonical(file, error).string());
  });
  if (models.size() > 1) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: there is no config.json, and several yaml files describe a model: "
                            "{}",
                            folder, fmt::join(models, ", ")),
                "name the right one with --config");
  }
  return models.empty() ? Json() : ReadYacs(models[0]);
}

}  // namespace vernier
