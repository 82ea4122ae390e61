#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "vernier/error.h"

namespace vernier {
namespace {

ReportPart PartOf(const ResultFile& file) {
  try {
    switch (file.kind) {
      case ResultKind::kRun:
        return RunPart(file);
      case ResultKind::kCompare:
        return ComparePart(file);
      case ResultKind::kEval:
        return EvalPart(file);
      case ResultKind::kBench:
        break;
    }
    return BenchPart(file);
  } catch (const Error& error) {
    throw error.WithContext(fmt::format("while reading a {} result", Name(file.kind)));
  }
}

// Section ids and titles stay distinct where several results of one kind are joined.
void Number(std::vector<ReportPart>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    for (size_t j = 0; j < parts[i].sections.size(); ++j) {
      parts[i].sections[j].id = fmt::format("result-{}-{}", i + 1, j + 1);
    }
  }
}

Section NotTested(const std::vector<ReportPart>& parts) {
  BulletList list;
  std::set<std::string> seen;
  for (const ReportPart& part : parts) {
    for (const std::string& item : part.not_tested) {
      if (seen.insert(item).second) list.items.push_back(item);
    }
  }
  const auto has = [&](ReportVerdict finding) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const ReportPart& part) { return part.finding == finding; });
  };
  if (!has(ReportVerdict::kPassed) && !has(ReportVerdict::kFailed) &&
      !has(ReportVerdict::kInconclusive)) {
    list.items.push_back("No result in this report makes a claim that could pass or fail.");
  }
  Section section{.id = "not-tested", .title = "What was not tested"};
  if (list.items.empty()) {
    section.blocks.push_back(Paragraph{"The results name nothing that they left out."});
  } else {
    section.blocks.push_back(std::move(list));
  }
  return section;
}

Section Environment(const std::vector<ResultFile>& files, const std::vector<ReportPart>& parts) {
  Section section{.id = "environment", .title = "Environment"};
  for (size_t i = 0; i < files.size(); ++i) {
    Table table{.caption = fmt::format("{} ({})", files[i].path, Name(files[i].kind)),
                .columns = {{"what"}, {"value"}},
                .rows = parts[i].facts};
    table.rows.push_back({{"SHA-256 of the result"}, {files[i].sha256}});
    section.blocks.push_back(std::move(table));
  }
  return section;
}

Section Again(const std::vector<ResultFile>& files, const std::vector<ReportPart>& parts,
              const ReportOptions& options) {
  Commands commands;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string what = fmt::format("{} ({})", files[i].path, Name(files[i].kind));
    commands.lines.push_back({what, parts[i].command.empty()
                                        ? "# the result does not say how it was made"
                                        : parts[i].command});
  }
  commands.lines.push_back({"this report", options.command});
  return {.id = "again", .title = "How to make every figure again", .blocks = {commands}};
}

std::string ReportJson(const Report& report, const std::vector<ResultFile>& files) {
  Json json = Json::Object();
  json["schema"] = "vernier.report/1";
  json["title"] = report.document.title;
  json["verdict"] = Name(report.finding);
  json["reasons"] = Json::ArrayOf(report.reasons);
  json["made"] = report.document.made;
  json["results"] = Json::Array();
  for (const ResultFile& file : files) {
    Json entry = Json::Object();
    entry["file"] = file.path;
    entry["kind"] = Name(file.kind);
    entry["sha256"] = file.sha256;
    entry["result"] = file.content;
    json["results"].Append(std::move(entry));
  }
  return json.Pretty();
}

std::string TitleOf(const std::vector<ResultFile>& files) {
  std::set<std::string> models;
  for (const ResultFile& file : files) {
    const Json* model = file.content.Find("model");
    if (model == nullptr || model->type() != Json::Type::kString) continue;
    const std::string& path = model->AsString();
    const size_t end = path.find_last_not_of('/');
    const size_t slash = path.find_last_of('/', end);
    models.insert(path.substr(slash + 1, end - slash));
  }
  return models.size() == 1 ? fmt::format("Report on {}", *models.begin()) : "vernier report";
}

}  // namespace

ReportVerdict VerdictOf(std::string_view outcome) {
  if (outcome == "passed") return ReportVerdict::kPassed;
  return outcome == "failed" ? ReportVerdict::kFailed : ReportVerdict::kInconclusive;
}

ReportTone ToneOf(ReportVerdict finding) {
  switch (finding) {
    case ReportVerdict::kPassed:
      return ReportTone::kGood;
    case ReportVerdict::kFailed:
      return ReportTone::kBad;
    case ReportVerdict::kInconclusive:
      return ReportTone::kUnsure;
    case ReportVerdict::kMeasured:
      break;
  }
  return ReportTone::kPlain;
}

const char* Name(ReportVerdict finding) {
  switch (finding) {
    case ReportVerdict::kPassed:
      return "PASSED";
    case ReportVerdict::kFailed:
      return "FAILED";
    case ReportVerdict::kInconclusive:
      return "INCONCLUSIVE";
    case ReportVerdict::kMeasured:
      break;
  }
  return "MEASURED";
}

Report BuildReport(const std::vector<ResultFile>& files, const ReportOptions& options) {
  if (files.empty()) {
    throw Error(ErrorKind::kUsage, "there is nothing to report",
                "give the JSON files of compare, eval, bench or run");
  }
  std::vector<ReportPart> parts;
  for (const ResultFile& file : files) parts.push_back(PartOf(file));
  Number(parts);

  Report report;
  Document& document = report.document;
  document.title = options.title.empty() ? TitleOf(files) : options.title;
  document.made = options.made;
  for (const ReportPart& part : parts) report.finding = std::max(report.finding, part.finding);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].finding != report.finding) continue;
    for (const std::string& reason : parts[i].reasons) {
      report.reasons.push_back(parts.size() > 1 ? fmt::format("{}: {}", files[i].path, reason)
                                                : reason);
    }
  }
  document.verdict = Name(report.finding);
  document.tone = ToneOf(report.finding);
  document.reasons = report.reasons;
  if (!options.note.empty()) {
    document.sections.push_back(
        {.id = "note", .title = "Note", .blocks = {Paragraph{options.note}}});
  }
  for (ReportPart& part : parts) {
    document.figures.insert(document.figures.end(), part.figures.begin(), part.figures.end());
    for (Section& section : part.sections) document.sections.push_back(std::move(section));
  }
  document.sections.push_back(NotTested(parts));
  document.sections.push_back(Environment(files, parts));
  document.sections.push_back(Again(files, parts, options));
  report.json = ReportJson(report, files);
  return report;
}

}  // namespace vernier
