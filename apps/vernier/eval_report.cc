#include "eval_report.h"

#include <algorithm>
#include <cmath>

namespace vernier {
namespace {

// Enough to see what kind of change it is; the JSON has more.
constexpr size_t kShownChanges = 10;

void PrintMetrics(const std::vector<Metric>& metrics, Terminal& terminal) {
  for (const Metric& metric : metrics) {
    if (metric.n == 0) {
      terminal.Print("  {:<26} no sample says anything about it\n", metric.name);
      continue;
    }
    if (std::isnan(metric.interval.low)) {
      terminal.Print("  {:<26} {:>9.4f}   n {}\n", metric.name, metric.value, metric.n);
      continue;
    }
    terminal.Print("  {:<26} {:>9.4f}   [{:.4f}, {:.4f}]   n {}\n", metric.name, metric.value,
                   metric.interval.low, metric.interval.high, metric.n);
  }
}

Tone ToneOf(VerdictKind kind) {
  return kind == VerdictKind::kPassed   ? Tone::kGood
         : kind == VerdictKind::kFailed ? Tone::kBad
                                        : Tone::kWarning;
}

void PrintBaseline(const BaselineComparison& baseline, Terminal& terminal) {
  terminal.Print("\nagainst {} ({} samples in both", Printable(baseline.path), baseline.paired);
  if (baseline.unpaired > 0) terminal.Print(", {} without a counterpart", baseline.unpaired);
  terminal.Write(")\n");
  PrintMetrics(baseline.agreement, terminal);
  PrintMetrics(baseline.deltas, terminal);
  if (baseline.changed.empty()) return;
  terminal.Print("  {} answers changed\n", baseline.changed.size());
  for (size_t i = 0; i < std::min(kShownChanges, baseline.changed.size()); ++i) {
    const ChangedSample& sample = baseline.changed[i];
    terminal.Print("    {}: {} -> {}\n", Printable(sample.id, 200), Printable(sample.before, 200),
                   Printable(sample.now, 200));
  }
  if (baseline.changed.size() > kShownChanges) {
    terminal.Print("    and {} more\n", baseline.changed.size() - kShownChanges);
  }
}

}  // namespace

void PrintEvaluation(const Evaluation& evaluation, Terminal& terminal) {
  const size_t failed = evaluation.FailedRecords().size();
  terminal.Print("{}: {} of {} samples ({})", Name(evaluation.task), evaluation.records.size(),
                 evaluation.header.samples, evaluation.layout);
  if (evaluation.resumed > 0) terminal.Print(", {} from an earlier start", evaluation.resumed);
  if (failed > 0) {
    terminal.Print(
        ", {} could not be used and {}", failed,
        evaluation.failed_samples == FailedSamples::kWrong ? "count as wrong" : "are left out");
  }
  terminal.Write("\n");
  PrintMetrics(evaluation.metrics, terminal);
  if (evaluation.baseline) PrintBaseline(*evaluation.baseline, terminal);
  if (!evaluation.gates.empty()) terminal.Write("\n");
  for (const MetricGateResult& result : evaluation.gates) {
    terminal.Print("{} {}: {}\n", terminal.Toned(Name(result.outcome), ToneOf(result.outcome)),
                   result.gate.text, result.note);
  }
}

}  // namespace vernier
