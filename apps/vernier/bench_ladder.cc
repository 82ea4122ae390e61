#include "bench_ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "bench/alternate.h"
#include "bench_side.h"
#include "bench_table.h"
#include "core/interrupt.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::vector<Rung> RungsOf(const BenchOptions& options) {
  std::vector<Rung> rungs;
  if (!options.ladder.empty()) rungs = PublishedLadder(options.ladder);
  for (const std::string& text : options.rungs) {
    rungs.push_back(ParseRung(text, rungs.empty() ? 0 : rungs.size() - 1));
  }
  if (rungs.size() < 2) {
    throw Error(ErrorKind::kUsage, "one --rung is no ladder", "give a second --rung, or --ladder");
  }
  return rungs;
}

BenchSide ReadRung(const Rung& rung, const BenchOptions& base, const GridLists& lists) {
  BenchSide side = ReadSide(fmt::format("rung '{}'", rung.name), rung.setting, base, lists);
  if (side.configuration.batch != lists.batches[0]) {
    throw Error(ErrorKind::kUsage,
                fmt::format("rung '{}': all rungs have the batch of the ladder", rung.name),
                "list batches with --batch: each is a ladder of its own");
  }
  side.name = rung.name;
  return side;
}

// A rung that is ready to run, or why it is not.
struct ReadyRung {
  std::unique_ptr<RunningSide> side;
  Measurement failed;
};

ReadyRung MakeReady(const BenchSide& side, bool first, Terminal& terminal) {
  ReadyRung rung;
  try {
    rung.side = std::make_unique<RunningSide>(side, terminal);
  } catch (const Error& error) {
    const bool ends =
        error.kind() == ErrorKind::kInterrupted || error.kind() == ErrorKind::kInternal;
    if (first || ends) throw;
    rung.failed.side = side.name;
    rung.failed.setting = side.setting;
    rung.failed.configuration = side.configuration;
    rung.failed.error = error;
  }
  return rung;
}

std::string GainText(const std::optional<SpeedRatio>& ratio) {
  if (!ratio) return "";
  const Interval gain = GainIntervalOf(*ratio);
  return fmt::format("{:.2f}x ({:.2f} to {:.2f})", GainOf(*ratio), gain.low, gain.high);
}

// "heads in parallel over BN folded, bf16: 0.95x (0.93 to 0.97), slower".
std::string StepText(const RungResult& step, const RungResult& below) {
  const bool few = step.over->a_samples < kLeastPairs;
  return fmt::format("{} over {}: {}, {}", step.rung.name, below.rung.name, GainText(step.over),
                     few ? fmt::format("fewer than {} turns tell nothing", kLeastPairs)
                         : Name(step.over->verdict));
}

}  // namespace

void MeasureLadder(const BenchOptions& options, const GridLists& lists, Terminal& terminal,
                   BenchResult& result) {
  const std::vector<Rung> rungs = RungsOf(options);
  std::vector<BenchSide> sides;
  for (const Rung& rung : rungs) sides.push_back(ReadRung(rung, options, lists));
  std::vector<ReadyRung> ready;
  std::vector<TimedRun> runs;
  for (const BenchSide& side : sides) {
    ready.push_back(MakeReady(side, ready.empty(), terminal));
    if (RunningSide* running = ready.back().side.get()) {
      runs.push_back([running] { return running->Run(); });
    }
  }
  std::vector<Timing> timings = TimeAlternately(
      runs,
      {.warm_up = result.warm_up,
       .turns = RunsOf(options),
       .min_ms = MinMsOf(options),
       .progress = [&](int done) { terminal.ShowProgress("ladder", done, RunsOf(options)); }});
  terminal.ClearProgress();
  if (timings[0].samples_ms.empty()) ThrowIfInterrupted();
  const size_t first_run = result.runs.size();
  size_t timed = 0;
  for (ReadyRung& rung : ready) {
    result.runs.push_back(rung.side ? rung.side->Finish(std::move(timings[timed++]))
                                    : std::move(rung.failed));
  }
  result.ladders.push_back(
      JudgeLadder(rungs, std::span(result.runs).subspan(first_run), first_run));
}

void PrintLadder(const Ladder& ladder, std::span<const Measurement> runs, Terminal& terminal) {
  const Configuration& c = runs[ladder.rungs[0].run].configuration;
  terminal.Print("\nBatch {}, {} thread{}{}; gains over the first rung, with 95 % intervals\n",
                 ladder.batch, c.threads, c.threads == 1 ? "" : "s",
                 c.dense_top_features ? ", dense top features" : "");
  terminal.Print("{:<27}{:>11}{:>10}{:>23}{:>9}\n", "rung", "ms/picture", "per s", "gain",
                 "port's");
  for (const RungResult& step : ladder.rungs) {
    const Measurement& run = runs[step.run];
    if (run.error) {
      terminal.Print("{:<27}failed: {}\n", step.rung.name, Printable(run.error->message()));
      continue;
    }
    const double published = step.rung.published_gain;
    terminal.Print("{:<27}{:>11}{:>10.2f}{:>23}{:>9}\n", step.rung.name,
                   MsText(run.summary.median / static_cast<double>(ladder.batch)),
                   run.throughput_per_s(), step.first ? GainText(step.first) : "1.00x",
                   published > 0 ? fmt::format("{:.2f}x", published) : "");
  }
  terminal.Print("\n");
  for (const RungResult& step : ladder.rungs) {
    if (!step.over || step.rung.over == 0) continue;
    terminal.Print("{}\n", StepText(step, ladder.rungs[step.rung.over]));
  }
  terminal.Flush();
}

}  // namespace vernier
