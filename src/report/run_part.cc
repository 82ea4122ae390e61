#include <fmt/format.h>

#include <algorithm>

#include "report/manifest.h"
#include "report/picture.h"
#include "report/sections.h"

namespace vernier {
namespace {

// A run of a folder can hold thousands of pictures; the result file keeps them all.
constexpr size_t kMaxResults = 50;
constexpr size_t kMaxPictures = 12;

std::string AnswerOf(const Json& result) {
  if (result.Has("text")) return result.GetString("text");
  if (const Json* labels = result.Find("labels"); labels != nullptr && labels->size() > 0) {
    const Json& best = labels->items()[0];
    return fmt::format("{} ({:.1f} %)", best.GetString("label"),
                       100 * best.GetNumber("probability"));
  }
  if (const Json* instances = result.Find("instances")) {
    return fmt::format("{} instances", instances->size());
  }
  if (const Json* embedding = result.Find("embedding")) {
    return fmt::format("embedding of {} values", embedding->size());
  }
  return "–";
}

Table ResultsTable(const Json& content) {
  const auto results = content.GetArray("results").items();
  Table table{.columns = {{"input"}, {"result"}}};
  if (results.size() > kMaxResults) {
    table.caption = fmt::format("The first {} of {} results.", kMaxResults, results.size());
  }
  for (const Json& result : results.first(std::min(results.size(), kMaxResults))) {
    table.rows.push_back({{result.GetString("image", "")}, {AnswerOf(result)}});
  }
  return table;
}

// The first pictures with their answers, as far as the files are still there.
Gallery Pictures(const Json& content) {
  Gallery gallery;
  for (const Json& result : content.GetArray("results").items()) {
    if (gallery.items.size() == kMaxPictures) break;
    const std::string path = result.GetString("image", "");
    std::string picture = PictureUri(path);
    if (!picture.empty()) gallery.items.push_back({path, std::move(picture), AnswerOf(result)});
  }
  return gallery;
}

}  // namespace

ReportPart RunPart(const ResultFile& file) {
  ReportPart part;
  Section section{.id = "", .title = "Results", .remark = file.content.GetString("model", "")};
  section.blocks.push_back(ResultsTable(file.content));
  if (Gallery pictures = Pictures(file.content); !pictures.items.empty()) {
    section.blocks.push_back(std::move(pictures));
  }
  if (const Json* failed = file.content.Find("failed"); failed != nullptr && failed->size() > 0) {
    Table table{.caption = "Inputs that could not be used.", .columns = {{"input"}, {"error"}}};
    for (const Json& entry : failed->items()) {
      table.rows.push_back(
          {{entry.GetString("image", "")}, {entry.GetString("error", ""), ReportTone::kBad}});
    }
    section.blocks.push_back(std::move(table));
  }
  if (const Json* warnings = file.content.Find("warnings"); warnings != nullptr) {
    section.blocks.push_back(BulletList{file.content.GetStrings("warnings")});
  }
  part.sections.push_back(std::move(section));
  part.facts = Manifest(file.content);
  part.command = CommandOf(file.content);
  return part;
}

}  // namespace vernier
