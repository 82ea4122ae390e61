#include "report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "io/atomic_file.h"
#include "report/html.h"
#include "report/manifest.h"
#include "report/markdown.h"
#include "report/report.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

struct ReportVerbOptions {
  std::vector<std::string> results;
  std::string out;
  std::string title;
  std::string note;
};

std::vector<Flag> ReportFlags(ReportVerbOptions& options) {
  return {{.name = "RESULT",
           .metavar = "RESULT",
           .section = "Input",
           .help = "JSON files written by compare, eval, bench or run; each becomes a part.",
           .target = &options.results,
           .completion = Completion::kFile,
           .required = true},
          {.name = "--out",
           .metavar = "DIR",
           .section = "Output",
           .help = "Folder for report.json, report.md and report.html; made where missing.",
           .target = &options.out,
           .completion = Completion::kFolder,
           .required = true,
           .writes = true},
          {.name = "--title",
           .metavar = "TEXT",
           .section = "Output",
           .help = "Title of the report.",
           .target = &options.title,
           .default_text = "made from the model's name"},
          {.name = "--note",
           .metavar = "TEXT",
           .section = "Output",
           .help = "A remark of your own, shown first.",
           .target = &options.note}};
}

std::vector<std::string> CommandOf(const ReportVerbOptions& options) {
  std::vector<std::string> words = {"vernier", "report"};
  words.insert(words.end(), options.results.begin(), options.results.end());
  for (const auto& [flag, value] :
       {std::pair{"--out", &options.out}, {"--title", &options.title}, {"--note", &options.note}}) {
    if (value->empty()) continue;
    words.push_back(flag);
    words.push_back(*value);
  }
  return words;
}

// In UTC; SOURCE_DATE_EPOCH (reproducible-builds.org) stands for the clock where it is set.
std::string Now() {
  std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH")) {
    now = static_cast<std::time_t>(std::strtoll(epoch, nullptr, 10));
  }
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(now));
}

void MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::kInput,
                fmt::format("--out {}: the folder cannot be made: {}", folder, error.message()));
  }
}

int ExitCodeOf(ReportVerdict finding) {
  switch (finding) {
    case ReportVerdict::kFailed:
      return kExitFailed;
    case ReportVerdict::kInconclusive:
      return kExitInconclusive;
    case ReportVerdict::kMeasured:
    case ReportVerdict::kPassed:
      break;
  }
  return kExitPassed;
}

Outcome RunReport(const ReportVerbOptions& options, Terminal& terminal) {
  std::vector<ResultFile> files;
  for (const std::string& path : options.results) files.push_back(ReadResultFile(path));
  const Report report =
      BuildReport(files, {.title = options.title,
                          .note = options.note,
                          .made = fmt::format("Made {} by vernier {}.", Now(), Version()),
                          .command = ShellLine(CommandOf(options))});
  MakeFolder(options.out);
  const std::filesystem::path folder(options.out);
  for (const auto& [name, text] : {std::pair<const char*, std::string>{"report.json", report.json},
                                   {"report.md", WriteMarkdown(report.document)},
                                   {"report.html", WriteHtml(report.document)}}) {
    const std::string path = (folder / name).string();
    WriteFileAtomically(path, text);
    terminal.Print("{}\n", path);
  }
  return {.exit_code = ExitCodeOf(report.finding),
          .reason = report.reasons.empty() ? "" : report.reasons.front()};
}

}  // namespace

Verb ReportVerb() {
  return {.name = "report",
          .summary = "join results into one report, to read, to keep and to sign",
          .description =
              "Reads what compare, eval, bench and run wrote with --json and writes report.json, "
              "report.md and one report.html that needs no network: the verdict first, then gates, "
              "worst layers, plots, what was not tested, the environment, and the command behind "
              "every figure. Ends with the joined verdict's exit code: 1 when a result failed, 3 "
              "when one is inconclusive.",
          .examples = {{"vernier report compare.json bench.json --out report",
                        "proof and speed of one model in one report"}},
          .start = Starter(ReportFlags, RunReport)};
}

}  // namespace vernier
