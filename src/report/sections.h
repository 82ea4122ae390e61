// What a result file becomes in a report: sections to read, figures for the top, and what it
// says about the verdict. Pure functions on parsed results; Error{kInput} names a member that is
// missing or of another type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/document.h"
#include "report/result_file.h"

namespace vernier {

/// kMeasured: figures without a claim that could pass or fail.
enum class ReportVerdict { kMeasured, kPassed, kInconclusive, kFailed };

/// Of an outcome as results spell it: "passed", "failed", and anything else for inconclusive.
ReportVerdict VerdictOf(std::string_view outcome);

ReportTone ToneOf(ReportVerdict verdict);

struct ReportPart {
  ReportVerdict finding = ReportVerdict::kMeasured;
  std::vector<std::string> reasons;  // of the finding
  std::vector<KeyFigure> figures;
  std::vector<Section> sections;
  std::vector<std::string> not_tested;
  std::string command;                   // that made the result; empty where it does not say
  std::vector<std::vector<Cell>> facts;  // what, value: rows of the environment manifest
};

ReportPart ComparePart(const ResultFile& file);
ReportPart EvalPart(const ResultFile& file);
ReportPart BenchPart(const ResultFile& file);
ReportPart RunPart(const ResultFile& file);

}  // namespace vernier
