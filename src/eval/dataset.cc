#include "eval/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "core/utf8.h"
#include "eval/dataset_readers.h"
#include "io/image_paths.h"
#include "io/system_error.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLayouts =
    "a set is a folder with a folder of pictures per class, a .csv, a .jsonl, ChartQA's .json "
    "files with their png/ folder, or a .json of COCO's instances";

std::vector<std::string> FilesEndingIn(const std::string& folder, std::string_view ending) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ending) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

Dataset ReadFile(const std::string& path) {
  const std::string ending = fs::path(path).extension().string();
  if (ending == ".csv") return ReadCsvSet(path);
  if (ending == ".jsonl") return ReadJsonLines(path);
  if (ending == ".json") {
    const Json file = Json::ParseFile(path);
    return LooksLikeCoco(file) ? ReadCocoInstances(path, file) : ReadChartQa(path, {path});
  }
  throw Error(ErrorKind::kInput,
              fmt::format("{}: a set in a file ends in .csv, .jsonl or .json", PathAsText(path)),
              std::string(kLayouts));
}

Dataset ReadFolder(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files = FilesEndingIn(folder, ".json");
  if (fs::is_directory(folder + "/png", error) && !files.empty()) {
    return ReadChartQa(folder, files);
  }
  if (fs::exists(folder + "/annotations.json", error)) {
    return ReadFile(folder + "/annotations.json");
  }
  files = FilesEndingIn(folder, ".csv");
  std::ranges::copy(FilesEndingIn(folder, ".jsonl"), std::back_inserter(files));
  if (files.size() == 1) return ReadFile(files[0]);
  if (files.size() > 1) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: holds several sets, such as {} and {}", PathAsText(folder),
                            PathAsText(files[0]), PathAsText(files[1])),
                "name the file of one of them");
  }
  return ReadClassFolders(folder);
}

// Texts beyond this are no answers, and edit distances take the square of their length.
constexpr size_t kLongestText = size_t{64} << 10;

void CheckTexts(const Sample& sample) {
  const auto check = [&](const std::string& text) {
    if (text.size() <= kLongestText) return;
    throw Error(ErrorKind::kInput, fmt::format("{}: a text of {} bytes; at most {} are read",
                                               sample.place, text.size(), kLongestText));
  };
  check(sample.prompt);
  std::ranges::for_each(sample.expected, check);
}

void CheckIdsAreUnique(const Dataset& set) {
  std::map<std::string_view, std::string_view> places;
  for (const Sample& sample : set.samples) {
    const auto [known, added] = places.emplace(sample.id, sample.place);
    if (added) continue;
    throw Error(ErrorKind::kInput,
                fmt::format("{}: the id '{}' occurs twice, first in {}", sample.place, sample.id,
                            known->second),
                "every sample needs an id of its own; give a column or key named id");
  }
}

}  // namespace

std::string PathAsText(std::string_view path) {
  std::string text;
  for (size_t at = 0; at < path.size();) {
    const size_t length = Utf8Length(path.substr(at));
    const auto byte = static_cast<unsigned char>(path[at]);
    if (length == 0 || byte < 0x20) {
      text += fmt::format("\\x{:02X}", byte);
      ++at;
    } else {
      text += path.substr(at, length);
      at += length;
    }
  }
  return text;
}

std::string BesideSet(const std::string& set_file, const std::string& picture) {
  return (fs::path(set_file).parent_path() / picture).string();
}

Dataset ReadClassFolders(const std::string& folder) {
  Dataset set{.path = folder, .layout = "folders by class", .kind = SetKind::kClasses};
  for (const std::string& file : PicturesBelow(folder)) {
    const fs::path relative = fs::path(file).lexically_relative(folder);
    const std::string label = PathAsText(relative.begin()->string());
    if (std::next(relative.begin()) == relative.end()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: lies in no class folder", PathAsText(file)),
                  std::string(kLayouts));
    }
    set.samples.push_back({.id = PathAsText(relative.string()),
                           .image = file,
                           .expected = {label},
                           .place = PathAsText(relative.string())});
  }
  return set;
}

Dataset LoadDataset(const std::string& path, int64_t max_samples) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    ThrowSystemError("read", PathAsText(path), error ? error.value() : ENOENT);
  }
  Dataset set = fs::is_directory(path, error) ? ReadFolder(path) : ReadFile(path);
  if (set.samples.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: the set is empty", PathAsText(path)),
                std::string(kLayouts));
  }
  std::ranges::for_each(set.samples, CheckTexts);
  CheckIdsAreUnique(set);
  if (max_samples > 0 && std::ssize(set.samples) > max_samples) {
    set.samples.resize(static_cast<size_t>(max_samples));
  }
  return set;
}

}  // namespace vernier
