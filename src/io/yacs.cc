#include "io/yacs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "io/mapped_file.h"
#include "io/yaml.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kBase = "_BASE_";
constexpr size_t kLongestChain = 16;  // published ones have three files
constexpr JsonLimits kLimits{
    .max_depth = 32, .max_values = 100'000, .max_file_bytes = size_t{4} << 20};

Json ReadOne(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  const auto bytes = file.bytes();
  if (bytes.size() > kLimits.max_file_bytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: {} bytes are too many for a configuration, the limit is {}", path,
                            bytes.size(), kLimits.max_file_bytes));
  }
  Json value =
      ParseYaml({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, kLimits);
  file.CheckIntact();
  if (!value.is_object()) {
    throw Error(ErrorKind::kInput, path + ": no configuration: it holds no keys");
  }
  return value;
}

// "(1, 2)" and "1e-3" are strings to YAML; yacs reads them as Python does.
Json Literal(const Json& value) {
  if (value.type() != Json::Type::kString) return value;
  std::string text = value.AsString();
  const bool tuple = text.size() >= 2 && (text.front() == '(' || text.front() == '[') &&
                     (text.back() == ')' || text.back() == ']');
  if (!tuple) return value;
  std::ranges::replace(text, '(', '[');
  std::ranges::replace(text, ')', ']');
  return ParseYaml(text, value.AsString(), kLimits);
}

// Mappings are merged key by key; any other value replaces the base's.
void Merge(const Json& from, Json& into) {
  for (const JsonMember& member : from.members()) {
    if (member.key == kBase) continue;
    Json& place = into[member.key];
    if (member.value.is_object()) {
      if (!place.is_object()) place = Json::Object();
      Merge(member.value, place);
    } else {
      place = Literal(member.value);
    }
  }
}

std::filesystem::path BaseOf(const Json& config, const std::string& path) {
  const std::string name = config.GetString(kBase);
  if (name.empty() || name.find("://") != std::string::npos || name.starts_with("~")) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} is \"{}\", expected a file", config.Where(kBase), name),
                "name the file by a path relative to this one");
  }
  return std::filesystem::path(path).parent_path() / name;
}

// A file as it stands, and where it does.
struct YacsFile {
  std::string path;
  Json content;
};

// Nearest first.
std::vector<YacsFile> ReadChain(const std::string& path) {
  std::vector<YacsFile> chain = {{path, ReadOne(path)}};
  while (chain.back().content.Has(kBase)) {
    if (chain.size() >= kLongestChain) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("{}: more than {} files stand on each other by _BASE_", path, kLongestChain),
          "one of them may name a file that stands on itself");
    }
    const std::string base = BaseOf(chain.back().content, chain.back().path).string();
    try {
      chain.push_back({base, ReadOne(base)});
    } catch (const Error& error) {
      throw error.WithContext(chain.back().path + " stands on another file");
    }
  }
  return chain;
}

}  // namespace

Json ReadYacs(const std::string& path) {
  Json whole = Json::Object();
  const std::vector<YacsFile> chain = ReadChain(path);
  for (auto file = chain.rbegin(); file != chain.rend(); ++file) Merge(file->content, whole);
  return Json::Parse(whole.Compact(), path, kLimits);
}

std::vector<std::string> YacsChain(const std::string& path) {
  std::vector<std::string> paths;
  for (YacsFile& file : ReadChain(path)) paths.push_back(std::move(file.path));
  return paths;
}

}  // namespace vernier
