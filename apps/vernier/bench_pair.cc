#include "bench_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "bench/alternate.h"
#include "bench/lockstep_process.h"
#include "bench/sweep.h"
#include "core/interrupt.h"
#include "verify/setting.h"
#include "vernier/error.h"

namespace vernier {
namespace {

Configuration OnlyConfiguration(const BenchOptions& options) {
  const std::vector<Configuration> grid = Expand(ReadGrid(options));
  if (grid.size() != 1 || grid[0].streams != 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} configurations on one side of a comparison", grid.size()),
                "give one --batch, --dtype, --threads, --size and --branches, and no --streams");
  }
  return grid[0];
}

int64_t ParseBatch(const std::string& text) {
  const std::vector<int64_t> batches = ParseSweep(text);
  if (batches.size() == 1) return batches[0];
  throw Error(ErrorKind::kUsage, fmt::format("batch={}: expected one number", text.substr(0, 40)));
}

// Takes the keys that are the benchmark's own out of the setting; what is left is the session's.
std::string TakeOwnKeys(const std::string& setting, PairSide& side) {
  constexpr std::string_view kBatch = "batch=", kProgram = "program=";
  std::string rest;
  for (size_t begin = 0; begin < setting.size();) {
    const size_t end = std::min(setting.find(',', begin), setting.size());
    const std::string part = setting.substr(begin, end - begin);
    if (part.starts_with(kBatch)) {
      side.configuration.batch = ParseBatch(part.substr(kBatch.size()));
    } else if (part.starts_with(kProgram)) {
      side.program = part.substr(kProgram.size());
    } else {
      rest += (rest.empty() ? "" : ",") + part;
    }
    begin = end + 1;
  }
  return rest;
}

// A side ready to run: its session in this process, or another program.
class RunningSide {
 public:
  RunningSide(const PairSide& side, Terminal& terminal) {
    measured_.side = side.name;
    measured_.setting = side.setting;
    measured_.configuration = side.configuration;
    if (!side.program.empty()) {
      process_ = std::make_unique<LockstepProcess>(LockstepCommand(side));
      return;
    }
    streams_ = std::make_unique<LoadedStreams>(side.session, measured_.configuration);
    ShowWarnings(streams_->first().info().warnings, terminal);
    workload_ = std::make_unique<Workload>(
        streams_->first(), WorkloadOptions{.batch = measured_.configuration.batch,
                                           .patches = measured_.configuration.patches,
                                           .new_tokens = side.new_tokens});
    measured_.configuration.patches = workload_->patches();
    measured_.load_ms = streams_->load_ms();
    measured_.configuration.height = streams_->first().info().height;
    measured_.configuration.width = streams_->first().info().width;
  }

  double Run() {
    if (process_) return process_->Run();
    return TimeOnce([this] { workload_->Run(); });
  }

  /// What is known of this side after its samples were taken.
  Measurement Finish(Timing timing) {
    measured_.timing = std::move(timing);
    const std::vector<double>& samples_ms = measured_.timing.samples_ms;
    measured_.wall_ms = std::reduce(samples_ms.begin(), samples_ms.end());
    measured_.samples_per_query = measured_.configuration.batch;
    measured_.drift = JudgeDrift({.samples_ms = samples_ms, .calibration_ms = {}});
    if (workload_) {
      measured_.outputs_sha256 = workload_->OutputsHash();
      measured_.planned = streams_->memory();
      measured_.memory = ReadMemoryUse();
    }
    Conclude(measured_);
    return std::move(measured_);
  }

 private:
  Measurement measured_;
  std::unique_ptr<LockstepProcess> process_;
  std::unique_ptr<LoadedStreams> streams_;
  std::unique_ptr<Workload> workload_;
};

std::string SideInWords(const PairSide& side, const Measurement& measured) {
  std::string words = InWords(measured.configuration);
  if (!side.program.empty()) words += ", program " + side.program;
  return words + ", " + side.session.model;
}

}  // namespace

PairSide ReadSide(const std::string& name, const std::string& setting, const BenchOptions& base) {
  PairSide side{.name = name,
                .setting = setting,
                .configuration = OnlyConfiguration(base),
                .new_tokens = base.new_tokens};
  side.session = OptionsOfStream(ToSessionOptions(base.session.WithoutSize()), side.configuration);
  try {
    const std::string rest = TakeOwnKeys(setting, side);
    if (!rest.empty()) side.session = ApplySetting(rest, side.session);
  } catch (const Error& error) {
    throw error.WithContext(name == "A" ? "--a" : "--b");
  }
  side.configuration.dtype = side.session.dtype;
  side.configuration.threads = side.session.threads;
  side.configuration.parallel_branches = side.session.parallel_branches;
  side.configuration.dense_top_features = side.session.dense_top_features;
  return side;
}

std::vector<std::string> LockstepCommand(const PairSide& side) {
  const SessionOptions& session = side.session;
  std::vector<std::string> command = {side.program, "bench", "--lockstep"};
  const auto add = [&](std::string_view flag, const std::string& value) {
    if (value.empty()) return;
    command.emplace_back(flag);
    command.push_back(value);
  };
  add("--model", session.model);
  add("--device", session.device);
  add("--dtype", session.dtype);
  add("--threads", fmt::to_string(session.threads));
  add("--batch", fmt::to_string(side.configuration.batch));
  const auto add_count = [&](std::string_view flag, int64_t count) {
    if (count > 0) add(flag, fmt::to_string(count));
  };
  add_count("--patches", side.configuration.patches);
  add_count("--new-tokens", side.new_tokens);
  add("--isa", session.isa);
  add("--semantics", session.semantics);
  add("--precision-file", session.precision_file);
  if (session.height != 0) add("--size", fmt::format("{}x{}", session.height, session.width));
  for (const std::string& pass : session.disabled_passes) add("--disable-pass", pass);
  if (!session.onednn) command.emplace_back("--no-onednn");
  if (session.interpolate_positions) command.emplace_back("--interpolate-pos-encoding");
  // Older programs do not know these flags.
  if (session.winograd != "auto") add("--winograd", session.winograd);
  if (session.parallel_branches) add("--branches", "parallel");
  if (session.dense_top_features) add("--top-features", "dense");
  return command;
}

void MeasurePair(const BenchOptions& options, Terminal& terminal, BenchResult& result) {
  const PairSide side_a = ReadSide("A", options.side_a, options);
  const PairSide side_b = ReadSide("B", options.side_b, options);
  RunningSide a(side_a, terminal), b(side_b, terminal);
  AlternateTiming timing = TimeAlternately(
      [&] { return a.Run(); }, [&] { return b.Run(); },
      {.warm_up = result.warm_up,
       .pairs = RunsOf(options),
       .min_ms = MinMsOf(options),
       .progress = [&](int done) { terminal.ShowProgress("A against B", done, RunsOf(options)); }});
  terminal.ClearProgress();
  if (timing.a.samples_ms.empty()) ThrowIfInterrupted();
  result.runs.push_back(a.Finish(std::move(timing.a)));
  result.runs.push_back(b.Finish(std::move(timing.b)));
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
