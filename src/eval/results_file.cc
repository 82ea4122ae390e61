#include "eval/results_file.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "core/json_writer.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kFormat = "vernier_eval";
constexpr int64_t kFormatVersion = 1;

struct Lines {
  std::vector<std::string_view> complete;
  size_t end = 0;  // of the last complete one
};

// A line counts when its newline is there: it was written as a whole. After a power cut a line may
// have its length but zeros for content, which only its parsing shows.
Lines SplitLines(std::string_view content) {
  Lines lines;
  for (size_t newline = content.find('\n'); newline != std::string_view::npos;
       newline = content.find('\n', lines.end)) {
    lines.complete.push_back(content.substr(lines.end, newline - lines.end));
    lines.end = newline + 1;
  }
  return lines;
}

bool BeginsLikeResults(std::string_view content) {
  const std::string start = fmt::format("{{\"{}\":", kFormat);
  const size_t shared = std::min(start.size(), content.size());
  return content.substr(0, shared) == std::string_view(start).substr(0, shared);
}

[[noreturn]] void RefuseForeign(const std::string& path) {
  throw Error(ErrorKind::kInput, fmt::format("{}: holds something else than results of eval", path),
              "name a new file; this one is left as it is");
}

ResultsHeader ParseHeader(std::string_view line, const std::string& path) {
  const Json json = Json::Parse(line, path + ":1");
  if (json.GetInt(kFormat) != kFormatVersion) {
    throw Error(ErrorKind::kInput, fmt::format("{}: results of format {}, this vernier reads {}",
                                               path, json.GetInt(kFormat), kFormatVersion));
  }
  return {.version = json.GetString("version"),
          .task = json.GetString("task"),
          .model = json.GetString("model"),
          .model_sha256 = json.GetString("model_sha256"),
          .data = json.GetString("data"),
          .data_sha256 = json.GetString("data_sha256"),
          .samples = json.GetInt("samples"),
          .settings = json.GetObject("settings")};
}

StoredResults ParseResults(std::string_view content, const std::string& path, size_t& intact) {
  if (!BeginsLikeResults(content)) RefuseForeign(path);
  const Lines lines = SplitLines(content);
  StoredResults results;
  intact = lines.end;
  results.torn = lines.end < content.size();
  if (lines.complete.empty()) return results;
  results.header = ParseHeader(lines.complete[0], path);
  std::set<std::string> ids;
  for (size_t i = 1; i < lines.complete.size(); ++i) {
    const std::string place = fmt::format("{}:{}", path, i + 1);
    try {
      results.records.push_back(ParseRecord(lines.complete[i], place));
    } catch (const Error&) {
      if (i + 1 < lines.complete.size()) throw;
      results.torn = true;
      intact -= lines.complete[i].size() + 1;
      break;
    }
    if (!ids.insert(results.records.back().id).second) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("{}: the sample '{}' is there twice", place, results.records.back().id),
          "the file was edited or joined; name a new one");
    }
  }
  return results;
}

// "dtype is f32 there and bf16 here", or nothing.
std::string Difference(const ResultsHeader& there, const ResultsHeader& here) {
  const auto differ = [](std::string_view what, const std::string& a, const std::string& b) {
    return a == b ? "" : fmt::format("{} is {} there and {} here", what, a, b);
  };
  std::string found = differ("the task", there.task, here.task);
  if (found.empty()) found = differ("the model (SHA-256)", there.model_sha256, here.model_sha256);
  if (found.empty()) {
    found = differ("the number of samples", std::to_string(there.samples),
                   std::to_string(here.samples));
  }
  if (found.empty()) found = differ("the data (SHA-256)", there.data_sha256, here.data_sha256);
  for (const JsonMember& setting : here.settings.members()) {
    if (!found.empty()) return found;
    const Json* other = there.settings.Find(setting.key);
    found = differ(setting.key, other == nullptr ? "absent" : other->Compact(),
                   setting.value.Compact());
  }
  return found.empty() ? differ("vernier's version", there.version, here.version) : found;
}

}  // namespace

std::string ToLine(const ResultsHeader& header) {
  JsonWriter json(JsonWriter::Layout::kOneLine);
  json.BeginObject()
      .Field(kFormat, kFormatVersion)
      .Field("version", header.version)
      .Field("task", header.task)
      .Field("model", header.model)
      .Field("model_sha256", header.model_sha256)
      .Field("data", header.data)
      .Field("data_sha256", header.data_sha256)
      .Field("samples", header.samples)
      .Key("settings")
      .Raw(header.settings.Compact())
      .EndObject();
  return json.Take() + "\n";
}

ResultsFile::ResultsFile(const std::string& path, const ResultsHeader& header) : file_(path) {
  const std::string content = file_.Content();
  size_t intact = 0;
  StoredResults stored = ParseResults(content, path, intact);
  torn_bytes_ = static_cast<int64_t>(content.size() - intact);
  if (intact == 0) {
    // New, or its writer ended within the header.
    file_.Truncate(0);
    file_.Append(ToLine(header));
    return;
  }
  const std::string difference = Difference(stored.header, header);
  if (!difference.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot go on with these results: {}", path, difference),
                "give --out another file, or the flags that this one was begun with");
  }
  if (torn_bytes_ > 0) file_.Truncate(static_cast<int64_t>(intact));
  records_ = std::move(stored.records);
}

void ResultsFile::Append(std::span<const Record> records) {
  std::string lines;
  for (const Record& record : records) lines += ToLine(record);
  file_.Append(lines);
}

StoredResults ReadResults(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  const auto bytes = file.bytes();
  size_t intact = 0;
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (content.empty()) RefuseForeign(path);
  StoredResults results = ParseResults(content, path, intact);
  file.CheckIntact();
  if (intact == 0) RefuseForeign(path);
  return results;
}

}  // namespace vernier
