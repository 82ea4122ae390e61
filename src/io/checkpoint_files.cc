#include "io/checkpoint_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "io/json.h"
#include "io/system_error.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexEnding = ".index.json";
constexpr std::string_view kPreferred[] = {"model.safetensors", "model.safetensors.index.json",
                                           "pytorch_model.bin", "pytorch_model.bin.index.json"};
constexpr std::string_view kEndings[] = {".safetensors", ".pt", ".pth", ".bin"};
// What the usual trainers leave beside the weights under the same endings.
constexpr std::string_view kNoWeights[] = {"training_args.bin", "optimizer.pt", "optimizer.bin",
                                           "scheduler.pt", "scaler.pt"};

// Hugging Face's cache keeps the files of snapshots/<revision> as links into ../../blobs.
fs::path CacheOf(const fs::path& folder) {
  if (folder.parent_path().filename() != "snapshots") return {};
  return folder.parent_path().parent_path() / "blobs";
}

// A shard must lie in the folder of its index: an index is a foreign file and could otherwise make
// us read any file of this machine.
std::string CheckedShard(const fs::path& folder, const std::string& shard,
                         const std::string& index) {
  const auto refuse = [&](const char* why, const char* hint) {
    throw Error(ErrorKind::kInput, fmt::format("{}: shard \"{}\" {}", index, shard, why), hint);
  };
  if (shard.empty() || shard == "." || shard == ".." ||
      shard.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
    refuse("is not the plain name of a file in its folder", "get the checkpoint again");
  }
  std::error_code error;
  const fs::path real = fs::canonical(folder / shard, error);
  if (error == std::errc::no_such_file_or_directory) {
    refuse("is missing", "download all shards of the checkpoint");
  }
  if (error) ThrowSystemError("open", (folder / shard).string(), error.value());
  const fs::path home = fs::canonical(folder, error);
  if (real.parent_path() != home && real.parent_path() != CacheOf(home)) {
    refuse("is a link to a file outside of its folder", "put the file itself there");
  }
  return (folder / shard).string();
}

CheckpointFiles ReadIndex(const std::string& index) {
  const Json json = Json::ParseFile(index);
  const fs::path folder = fs::path(index).parent_path();
  CheckpointFiles files{.paths = {}, .index = index};
  std::map<std::string, size_t> position;
  const Json& map = json.GetObject("weight_map");
  for (const JsonMember& member : map.members()) {
    const std::string shard = map.GetString(member.key);
    const auto [known, is_new] = position.try_emplace(shard, files.paths.size());
    if (is_new) files.paths.push_back(CheckedShard(folder.empty() ? "." : folder, shard, index));
    files.shard_of[member.key] = known->second;
  }
  if (files.paths.empty()) {
    throw Error(ErrorKind::kInput, index + ": weight_map names no shards",
                "get the checkpoint again");
  }
  if (const Json* metadata = json.Find("metadata"); metadata != nullptr && metadata->is_object()) {
    const Json* total = metadata->Find("total_size");
    if (total != nullptr && total->type() == Json::Type::kInteger) {
      files.claimed_bytes = total->AsInt();
    }
  }
  return files;
}

// Of "model-00001-of-00004.safetensors" "model.safetensors.index.json"; empty for other names.
std::string IndexOfShard(const std::string& name) {
  const size_t of = name.find("-of-");
  const size_t dash = of == std::string::npos ? of : name.rfind('-', of - 1);
  const size_t dot = name.rfind('.');
  if (dash == std::string::npos || dash == 0 || dot < of) return "";
  return name.substr(0, dash) + name.substr(dot) + std::string(kIndexEnding);
}

CheckpointFiles FindOnlyFile(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (MayBeWeights(name)) names.push_back(name);
  }
  std::ranges::sort(names);
  if (names.size() == 1) return {.paths = {(folder / names[0]).string()}};
  if (names.empty()) {
    throw Error(ErrorKind::kInput, folder.string() + ": no weights in this folder",
                "expected model.safetensors, model.safetensors.index.json, pytorch_model.bin, or "
                "one file ending in .safetensors, .pt, .pth or .bin");
  }
  if (std::ranges::none_of(names, [](const auto& name) { return IndexOfShard(name).empty(); })) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: shards without the index that says what each holds: {}",
                            folder.string(), fmt::join(names, ", ")),
                "get " + IndexOfShard(names[0]) + " of the same checkpoint, too");
  }
  throw Error(ErrorKind::kInput,
              fmt::format("{}: several files could be the weights: {}", folder.string(),
                          fmt::join(names, ", ")),
              "name the file instead of the folder");
}

}  // namespace

bool MayBeWeights(const std::string& name) {
  if (std::ranges::find(kNoWeights, name) != std::end(kNoWeights)) return false;
  if (name.starts_with("rng_state")) return false;
  return std::ranges::any_of(kEndings, [&](std::string_view end) { return name.ends_with(end); });
}

CheckpointFiles FindCheckpointFiles(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) ThrowSystemError("open", path, error ? error.value() : ENOENT);
  if (!fs::is_directory(status)) {
    if (path.ends_with(kIndexEnding)) return ReadIndex(path);
    return {.paths = {path}};
  }
  try {
    for (std::string_view name : kPreferred) {
      const std::string candidate = (fs::path(path) / name).string();
      // A dangling link exists for the user, who must be told of it, but not for fs::exists.
      if (fs::symlink_status(candidate).type() == fs::file_type::not_found) continue;
      if (name.ends_with(kIndexEnding)) return ReadIndex(candidate);
      return {.paths = {candidate}};
    }
    return FindOnlyFile(path);
  } catch (const fs::filesystem_error& failure) {
    ThrowSystemError("read", path, failure.code().value());
  }
}

}  // namespace vernier
