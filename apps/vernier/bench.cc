#include "bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "bench/bench_result.h"
#include "bench/earlier_result.h"
#include "bench_devices.h"
#include "bench_ladder.h"
#include "bench_options.h"
#include "bench_pair.h"
#include "bench_table.h"
#include "core/interrupt.h"
#include "io/atomic_file.h"
#include "json_output.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

// One bench command: what it measures, what it shows, what it writes.
class Bench {
 public:
  Bench(const BenchOptions& options, const GridLists& lists, Terminal& terminal)
      : options_(options), lists_(lists), terminal_(terminal), table_(options.json != "-") {
    result_.command = ShellQuoted(terminal.command_line());
    result_.started = UtcNow();
    result_.model = options.session.model;
    result_.device = options.session.device;
    result_.warm_up = WarmUpOf(options);
    result_.machine = ReadMachine();
  }

  Outcome Run() {
    if (table_) terminal_.Print("{}\nTimes in ms.\n", OneLine(result_.machine));
    if (options_.climbs()) {
      RunLadders();
    } else {
      options_.compares_sides() ? RunPair() : RunGrid();
    }
    result_.complete = !Interrupted() && FirstFailure() == nullptr;
    WriteFiles();
    return Conclusion();
  }

 private:
  void RunPair() {
    KeepSoFar();
    MeasurePair(options_, lists_, terminal_, result_);
    if (table_) {
      for (const Measurement& measured : result_.runs) {
        PrintGroup(measured, terminal_);
        PrintRow(measured, terminal_);
      }
      ShowNotes();
    }
  }

  void RunLadders() {
    KeepSoFar();
    for (const int64_t batch : lists_.batches) {
      if (Interrupted()) break;
      GridLists of_batch = lists_;
      of_batch.batches = {batch};
      MeasureLadder(options_, of_batch, terminal_, result_);
      if (table_) PrintLadder(result_.ladders.back(), result_.runs, terminal_);
      KeepSoFar();
    }
  }

  void RunGrid() {
    const std::optional<double> bound = SlowdownBound(options_);
    std::optional<EarlierResult> earlier;
    if (!options_.against.empty()) earlier = ReadEarlierResult(options_.against);
    // A folder that cannot be used fails here, once, and not in every configuration.
    SummarizeModel(ToSessionOptions(options_.session.WithoutSize()));
    KeepSoFar();
    for (const Configuration& configuration : Expand(lists_)) {
      if (Interrupted()) break;
      result_.runs.push_back(MeasureOne(configuration));
      if (table_) ShowRow();
      if (earlier && !result_.runs.back().error) CompareWith(*earlier, bound);
      KeepSoFar();
    }
    if (result_.runs.empty()) ThrowIfInterrupted();
    if (table_) ShowNotes();
  }

  Measurement MeasureOne(const Configuration& configuration) {
    try {
      if (!streams_ || !loaded_for_.SharesSession(configuration)) Load(configuration);
      const int runs = RunsOf(options_);
      Measurement measured =
          Measure(*streams_, configuration,
                  {.warm_up = result_.warm_up,
                   .runs = runs,
                   .min_ms = MinMsOf(options_),
                   .new_tokens = NewTokensOf(options_.new_tokens, streams_->first()),
                   .scenario = ScenarioOf(options_),
                   .peaks = options_.profiles() ? &PeaksFor(configuration) : nullptr,
                   .progress = [this, runs, label = InWords(configuration)](int done) {
                     terminal_.ShowProgress(label, done, runs);
                   }});
      terminal_.ClearProgress();
      return measured;
    } catch (const Error& error) {
      terminal_.ClearProgress();
      if (error.kind() == ErrorKind::kInterrupted || error.kind() == ErrorKind::kInternal) throw;
      streams_.reset();
      Measurement failed;
      failed.configuration = configuration;
      failed.error = error;
      return failed;
    }
  }

  void Load(const Configuration& configuration) {
    streams_.reset();  // gives the memory back first
    ResetPeakMemory();
    streams_ = std::make_unique<LoadedStreams>(ToSessionOptions(options_.session.WithoutSize()),
                                               configuration);
    loaded_for_ = configuration;
    if (!warned_) ShowWarnings(streams_->first().info().warnings, terminal_);
    warned_ = true;
  }

  // With the threads of one stream: a profile looks at one of them.
  const Peaks& PeaksFor(const Configuration& configuration) {
    const int threads = static_cast<int>(configuration.threads / configuration.streams);
    if (!peaks_ || peaks_->threads != threads) {
      const std::string& isa = options_.session.isa;
      peaks_ = MeasurePeaks(threads, isa.empty() ? Cpu().best() : ParseIsa(isa));
    }
    return *peaks_;
  }

  void CompareWith(const EarlierResult& earlier, std::optional<double> bound) {
    const Measurement& now = result_.runs.back();
    if (const EarlierRun* run = FindRun(earlier, now.configuration)) {
      result_.comparisons.push_back(CompareWithEarlier(earlier, *run, now, result_.machine, bound));
      return;
    }
    terminal_.Warn(fmt::format("{} holds no run of {}", earlier.file, InWords(now.configuration)));
    if (bound) ++missing_;
  }

  void ShowRow() {
    const Measurement& measured = result_.runs.back();
    if (!measured.error && !(shown_group_ && shown_group_->SharesSession(measured.configuration))) {
      PrintGroup(measured, terminal_);
      shown_group_ = measured.configuration;
    }
    PrintRow(measured, terminal_);
  }

  void ShowNotes() {
    PrintNotes(result_.runs, terminal_);
    for (const Measurement& measured : result_.runs) {
      if (measured.profile) PrintProfile(measured, terminal_);
      if (measured.error) continue;
      const std::string which = InWords(measured.configuration);
      if (!measured.drift.warning.empty()) {
        terminal_.Warn(fmt::format("{}: {}", which, measured.drift.warning));
      }
      if (!measured.outputs_repeat) {
        terminal_.Warn(fmt::format("{}: equal runs gave different outputs", which));
      }
    }
    for (const SpeedComparison& comparison : result_.comparisons)
      PrintComparison(comparison, terminal_);
    terminal_.Flush();
  }

  // An interrupted grid, by whatever means, keeps what it has. The first call finds out, before
  // anything is measured, whether the file can be written.
  void KeepSoFar() {
    if (options_.json.empty() || options_.json == "-") return;
    WriteJsonOutput(options_.json, ToJson(result_), terminal_);
  }

  void WriteFiles() {
    if (!options_.json.empty()) WriteJsonOutput(options_.json, ToJson(result_), terminal_);
    if (options_.trace.empty()) return;
    std::vector<Timeline> timelines;
    for (const Measurement& measured : result_.runs) {
      if (measured.timeline) timelines.push_back(*measured.timeline);
    }
    WriteFileAtomically(options_.trace, TraceJson(timelines));
  }

  const Measurement* FirstFailure() const {
    const auto failed =
        std::ranges::find_if(result_.runs, [](const auto& run) { return run.error.has_value(); });
    return failed == result_.runs.end() ? nullptr : &*failed;
  }

  // The worst that happened, from the strongest word down.
  Outcome Conclusion() const {
    if (Interrupted()) return {.exit_code = kExitInterrupted, .reason = "fewer samples than asked"};
    if (const Measurement* failed = FirstFailure()) {
      const auto count = std::ranges::count_if(
          result_.runs, [](const auto& run) { return run.error.has_value(); });
      if (!failed->error->hint().empty()) {
        terminal_.Note(fmt::format("hint: {}", Printable(failed->error->hint())));
      }
      return {.exit_code = ExitCode(failed->error->kind()),
              .reason = fmt::format("{} of {} configurations failed: {}", count,
                                    result_.runs.size(), failed->error->message())};
    }
    for (const GateState state : {GateState::kFailed, GateState::kInconclusive}) {
      for (const SpeedComparison& comparison : result_.comparisons) {
        if (!comparison.gate || comparison.gate->state != state) continue;
        return {.exit_code = state == GateState::kFailed ? kExitFailed : kExitInconclusive,
                .reason = comparison.gate->why};
      }
    }
    if (missing_ > 0) {
      return {
          .exit_code = kExitInconclusive,
          .reason = fmt::format("{} configurations have nothing to be compared with", missing_)};
    }
    return {};
  }

  const BenchOptions& options_;
  const GridLists& lists_;
  Terminal& terminal_;
  bool table_;
  BenchResult result_;
  std::unique_ptr<LoadedStreams> streams_;
  Configuration loaded_for_;
  std::optional<Peaks> peaks_;
  std::optional<Configuration> shown_group_;
  bool warned_ = false;
  int missing_ = 0;  // configurations that a gate could not look at
};

// The other side decides when a sample is taken, so that two programs never run at the same time.
Outcome Lockstep(const BenchOptions& options, const GridLists& lists, Terminal& terminal) {
  const std::vector<Configuration> grid = Expand(lists);
  if (grid.size() != 1 || grid[0].streams != 1) {
    throw Error(ErrorKind::kUsage, "--lockstep measures one configuration",
                "give one --batch, one --dtype and one --threads");
  }
  const LoadedStreams streams(ToSessionOptions(options.session.WithoutSize()), grid[0]);
  ShowWarnings(streams.first().info().warnings, terminal);
  Workload workload(streams.first(),
                    {.batch = grid[0].batch,
                     .patches = grid[0].patches,
                     .new_tokens = NewTokensOf(options.new_tokens, streams.first())});
  std::vector<double> warm_up_ms;
  while (!Interrupted() && NeedsMoreWarmUp(warm_up_ms, WarmUpOf(options))) {
    warm_up_ms.push_back(TimeOnce([&] { workload.Run(); }));
  }
  terminal.Note(fmt::format("ready vernier {}", Version()));
  for (std::string line; !Interrupted() && std::getline(std::cin, line);) {
    terminal.Print("{:.6f}\n", TimeOnce([&] { workload.Run(); }));
    terminal.Flush();
  }
  return {};
}

Outcome RunBench(const BenchOptions& options, Terminal& terminal) {
  const GridLists lists = ReadGrid(options);
  CheckFlags(options);
  if (!options.devices.empty()) return BenchDevices(options, lists, terminal);
  if (options.lockstep) return Lockstep(options, lists, terminal);
  return Bench(options, lists, terminal).Run();
}

}  // namespace

Verb BenchVerb() {
  return {
      .name = "bench",
      .summary = "how long a model takes, how much memory, on this machine",
      .description =
          "Loads the model, runs it on noise of its own picture size, and reports the time of one "
          "run: first run, then, once runs are steady, the median with a 95 % bootstrap interval "
          "and percentiles, pictures per second, and memory. Loading and the preparation of "
          "pictures are not part of a sample. A configuration that fails is reported and the "
          "rest goes on.\n\n"
          "Two settings are compared by timing them alternately (--b); the verdict is faster, "
          "slower or cannot tell, and --fail-if-slower makes it a gate.",
      .examples =
          {{"vernier bench --model vit-base --batch 1,4,8",
            "the table for one model at three batch sizes"},
           {"vernier bench --model vit-base --dtype f32,bf16 --threads 1-4 --json bench.json",
            "a sweep over numbers and threads, with every sample in a file"},
           {"vernier bench --model PaddleOCR-VL --devices cpu,ascend --runs 20 --warmup 3",
            "a port's protocol: mean, P50, P99, first token and throughput, a column a device"},
           {"vernier bench --model vit-base --b dtype=bf16",
            "f32 against bf16, alternately, with the interval of the ratio"},
           {"vernier bench --model lite_gn --ladder lite_bn --batch 1,8",
            "the published ladder of BlendMask, rung by rung, all in one alternating run"},
           {"vernier bench --model vit-base --a program=old/vernier --b program=new/vernier "
            "--fail-if-slower 5%",
            "a gate between two builds"},
           {"vernier bench --model vit-base --batch 1 --profile --trace trace.json",
            "where the time goes, node by node"}},
      .start = Starter(BenchFlags, RunBench)};
}

}  // namespace vernier
