#include "compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compare_options.h"
#include "compare_settings.h"
#include "compare_table.h"
#include "json_output.h"
#include "verify/compare_sources.h"
#include "verify/judge.h"
#include "verify/msaccucmp_table.h"

namespace vernier {
namespace {

/// Both sides are files.
Comparison CompareFiles(const CompareVerbOptions& options, Terminal& terminal) {
  const JudgeOptions judge = ToJudgeOptions(options);
  CompareOptions compare = ToCompareOptions(options);
  compare.progress = [&](size_t done, size_t of) {
    terminal.ShowProgress("comparing", static_cast<int64_t>(done), static_cast<int64_t>(of));
  };
  const TensorSource reference = TensorSource::Open(options.reference);
  const TensorSource candidate = TensorSource::Open(options.candidate);
  Comparison comparison = CompareSources(reference, candidate, compare);
  terminal.ClearProgress();
  Judge(judge, comparison);
  return comparison;
}

Outcome OutcomeOf(const Verdict& verdict) {
  if (verdict.kind == VerdictKind::kPassed) return {};
  std::string reason = fmt::format("{}", fmt::join(verdict.reasons, "; "));
  if (!verdict.would_pass.empty()) {
    // First, because a long list of reasons is cut at its end.
    reason = fmt::format("would pass with {}: {}", verdict.would_pass, reason);
  }
  return {.exit_code = verdict.kind == VerdictKind::kFailed ? kExitFailed : kExitInconclusive,
          .reason = std::move(reason)};
}

Outcome RunCompare(const CompareVerbOptions& given, Terminal& terminal) {
  CompareVerbOptions options = given;
  CheckOutputPath(options.json);
  if (options.self) return RunSelfChecks(options, terminal);
  ResolveSides(options);
  Comparison comparison =
      RunsASide(options) ? CompareRunning(options, terminal) : CompareFiles(options, terminal);
  comparison.command = CommandOf(options);
  if (options.columns == "msaccucmp") {
    if (options.json != "-") terminal.Write(MsaccucmpCsv(comparison));
  } else if (options.json != "-") {
    PrintComparison(comparison, {.top = options.top, .all_figures = options.columns == "all"},
                    terminal);
  }
  if (!options.json.empty()) WriteJsonOutput(options.json, ComparisonJson(comparison), terminal);
  return OutcomeOf(comparison.verdict);
}

}  // namespace

Verb CompareVerb() {
  return {
      .name = "compare",
      .summary = "whether two runs say the same, and where they part",
      .description =
          "Compares two sides tensor by tensor, in the order of the run, and judges them by gates. "
          "Tensors are paired by name and alias, then by --map, then, if asked, by shape; what has "
          "no partner is listed. Preprocessing is compared first and blamed first. The verdict is "
          "PASSED, FAILED with the tolerance at which it would pass, or INCONCLUSIVE where the "
          "evidence does not decide (exit codes 0, 1, 3), and says what was not tested.",
      .examples =
          {{"vernier compare torch-dump vernier-dump --preset vit",
            "a PyTorch run against ours, by the gates of the published ViT ports"},
           {"vernier compare ref cpu --gate 'mre<=1%' --gate 'logits:top1>=99%' --json c.json",
            "gates of one's own, everything in a file for `vernier report`"},
           {"vernier compare device=ref device=cpu,dtype=bf16 --model vit-base --image cat.jpg",
            "two ways to run a model, with the error that each step adds itself"},
           {"vernier compare --self --model vit-base --image cat.jpg",
            "checks that need no reference"},
           {"vernier compare hooks ours --map 'vit.*=*' --top 0",
            "names that differ by a prefix, all tensors in the order of the run"}},
      .start = Starter(CompareFlags, RunCompare)};
}

}  // namespace vernier
