#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "eval/dataset_readers.h"
#include "io/csv.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Spellings that published sets use, ours first.
constexpr std::string_view kPicture[] = {"file",      "image",      "path",   "filename",
                                         "file_name", "image_path", "imgname"};
constexpr std::string_view kLabel[] = {"label", "class", "category"};
constexpr std::string_view kMatch[] = {"match", "pair", "partner"};
constexpr std::string_view kQuestion[] = {"question", "query", "prompt"};
constexpr std::string_view kAnswer[] = {"answer", "text", "caption", "label"};
constexpr std::string_view kId[] = {"id"};

struct Columns {
  size_t picture;
  size_t target;  // label, matching picture or answer
  std::optional<size_t> question;
  std::optional<size_t> id;
  SetKind kind;
};

Columns FindColumns(const Csv& csv, const std::string& path) {
  const auto picture = csv.Column(kPicture);
  const auto question = csv.Column(kQuestion);
  const auto match = csv.Column(kMatch);
  const auto label = csv.Column(kLabel);
  const auto answer = csv.Column(kAnswer);
  const bool questions = question || (answer && !label);
  const auto target = questions ? answer : match ? match : label;
  if (!picture || !target) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}:1: the heading has no column for the {}; it has {}", PathAsText(path),
                    picture ? "label" : "picture", fmt::join(csv.heading(), ", ")),
        "name them file,label or file,match or file,question,answer");
  }
  return {.picture = *picture,
          .target = *target,
          .question = question,
          .id = csv.Column(kId),
          .kind = questions ? SetKind::kQuestions
                  : match   ? SetKind::kPairs
                            : SetKind::kClasses};
}

}  // namespace

Dataset ReadCsvSet(const std::string& path) {
  const Csv csv = Csv::ParseFile(path);
  const Columns columns = FindColumns(csv, path);
  Dataset set{.path = path, .layout = "CSV", .kind = columns.kind};
  for (const CsvRow& row : csv.rows()) {
    const std::string& picture = row.fields[columns.picture];
    const std::string& target = row.fields[columns.target];
    Sample sample{.image = BesideSet(path, picture),
                  .place = fmt::format("{}:{}", PathAsText(path), row.line)};
    if (picture.empty()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: names no picture", sample.place));
    }
    if (columns.id) {
      sample.id = PathAsText(row.fields[*columns.id]);
    } else {
      // A picture may be asked several questions; the line tells them apart.
      sample.id = columns.kind == SetKind::kQuestions ? fmt::format("line {}", row.line)
                                                      : PathAsText(picture);
    }
    if (columns.question) sample.prompt = row.fields[*columns.question];
    if (columns.kind == SetKind::kPairs) {
      sample.partner = BesideSet(path, target);
    } else {
      sample.expected = {PathAsText(target)};
    }
    set.samples.push_back(std::move(sample));
  }
  return set;
}

}  // namespace vernier
