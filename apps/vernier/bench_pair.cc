#include "bench_pair.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "bench/alternate.h"
#include "bench_side.h"
#include "core/interrupt.h"

namespace vernier {
namespace {

std::string SideInWords(const BenchSide& side, const Measurement& measured) {
  std::string words = InWords(measured.configuration);
  if (!side.program.empty()) words += ", program " + side.program;
  for (const std::string& variable : side.environment) words += ", " + variable;
  return words + ", " + side.session.model;
}

}  // namespace

void MeasurePair(const BenchOptions& options, const GridLists& lists, Terminal& terminal,
                 BenchResult& result) {
  BenchSide side_a = ReadSide("--a", options.side_a, options, lists);
  BenchSide side_b = ReadSide("--b", options.side_b, options, lists);
  side_a.name = "A", side_b.name = "B";
  RunningSide a(side_a, terminal), b(side_b, terminal);
  const TimedRun sides[] = {[&] { return a.Run(); }, [&] { return b.Run(); }};
  std::vector<Timing> timings = TimeAlternately(
      sides,
      {.warm_up = result.warm_up,
       .turns = RunsOf(options),
       .min_ms = MinMsOf(options),
       .progress = [&](int done) { terminal.ShowProgress("A against B", done, RunsOf(options)); }});
  terminal.ClearProgress();
  if (timings[0].samples_ms.empty()) ThrowIfInterrupted();
  result.runs.push_back(a.Finish(std::move(timings[0])));
  result.runs.push_back(b.Finish(std::move(timings[1])));
  const Measurement& of_a = result.runs[result.runs.size() - 2];
  const Measurement& of_b = result.runs.back();
  SpeedComparison comparison{
      .a = SideInWords(side_a, of_a),
      .b = SideInWords(side_b, of_b),
      .a_median_ms = of_a.summary.median,
      .b_median_ms = of_b.summary.median,
      .ratio = ComparePaired(of_a.timing.samples_ms, of_b.timing.samples_ms)};
  if (!of_a.outputs_sha256.empty() && !of_b.outputs_sha256.empty()) {
    comparison.same_outputs = of_a.outputs_sha256 == of_b.outputs_sha256;
  }
  if (const auto bound = SlowdownBound(options)) {
    comparison.bound = *bound;
    comparison.gate = JudgeSlowdown(comparison.ratio, *bound);
  }
  result.comparisons.push_back(std::move(comparison));
}

}  // namespace vernier
