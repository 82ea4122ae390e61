#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "eval/dataset_readers.h"
#include "io/json.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kPicture[] = {"image", "file", "file_name", "imgname", "image_path"};
constexpr std::string_view kQuestion[] = {"question", "query", "prompt"};
constexpr std::string_view kAnswer[] = {"answers", "answer", "label", "text", "caption"};

const Json* FindAny(const Json& object, std::span<const std::string_view> keys) {
  for (std::string_view key : keys) {
    const Json* found = object.Find(key);
    if (found != nullptr && !found->is_null()) return found;
  }
  return nullptr;
}

// Answers that are numbers in the file count as their text.
std::string TextOf(const Json& value) {
  const bool number = value.type() == Json::Type::kInteger || value.type() == Json::Type::kNumber;
  return number ? value.Compact() : value.AsString();
}

Sample ReadSample(const Json& object, const std::string& place) {
  const auto require = [&](std::span<const std::string_view> keys, const char* what) {
    const Json* found = object.is_object() ? FindAny(object, keys) : nullptr;
    if (found != nullptr) return found;
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected an object with {} under '{}'", place, what, keys[0]),
                R"(a line reads {"image": "a.png", "question": "…", "answers": ["…"]})");
  };
  Sample sample{.image = require(kPicture, "a picture")->AsString(), .place = place};
  const Json* answers = require(kAnswer, "answers");
  if (answers->is_array()) {
    for (const Json& answer : answers->items()) sample.expected.push_back(TextOf(answer));
  } else {
    sample.expected.push_back(TextOf(*answers));
  }
  if (sample.expected.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: the list of answers is empty", place));
  }
  if (const Json* question = FindAny(object, kQuestion)) sample.prompt = TextOf(*question);
  if (const Json* id = object.Find("id")) sample.id = TextOf(*id);
  return sample;
}

}  // namespace

Dataset ReadJsonLines(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  Dataset set{.path = path, .layout = "JSON lines", .kind = SetKind::kQuestions};
  int64_t line = 1;
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view content = text.substr(at, end - at);
    at = end + 1;
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string place = fmt::format("{}:{}", PathAsText(path), line);
    Sample sample = ReadSample(Json::Parse(content, place), place);
    sample.image = BesideSet(path, sample.image);
    if (sample.id.empty()) sample.id = fmt::format("line {}", line);
    set.samples.push_back(std::move(sample));
  }
  file.CheckIntact();
  return set;
}

Dataset ReadChartQa(const std::string& source, const std::vector<std::string>& annotations) {
  Dataset set{.path = source, .layout = "ChartQA", .kind = SetKind::kQuestions};
  for (const std::string& path : annotations) {
    const Json samples = Json::ParseFile(path);
    if (!samples.is_array()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: expected an array of samples, as ChartQA's "
                                                 "annotations are",
                                                 PathAsText(path)));
    }
    const std::string name = PathAsText(std::filesystem::path(path).stem().string());
    for (size_t i = 0; i < samples.size(); ++i) {
      const std::string place = fmt::format("{}[{}]", PathAsText(path), i);
      Sample sample = ReadSample(samples.items()[i], place);
      sample.image = BesideSet(path, "png/" + sample.image);
      if (sample.id.empty()) sample.id = fmt::format("{}[{}]", name, i);
      set.samples.push_back(std::move(sample));
    }
  }
  return set;
}

}  // namespace vernier
