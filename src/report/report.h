// A report from result files: the joined verdict, then each result, what was not tested, where it
// was measured and how to make every figure again.
#pragma once

#include <string>
#include <vector>

#include "report/document.h"
#include "report/sections.h"

namespace vernier {

struct ReportOptions {
  std::string title;    // empty: made from the results
  std::string note;     // a remark of the author's own, or empty
  std::string made;     // when and by what
  std::string command;  // that makes the report again
};

struct Report {
  ReportVerdict finding = ReportVerdict::kMeasured;
  std::vector<std::string> reasons;
  Document document;
  std::string json;  // report.json: the verdict, and the results as they were read
};

/// Throws Error{kUsage} without files and Error{kInput} naming the file that is wrong.
Report BuildReport(const std::vector<ResultFile>& files, const ReportOptions& options);

/// "PASSED", "FAILED", "INCONCLUSIVE", "MEASURED".
const char* Name(ReportVerdict finding);

}  // namespace vernier
