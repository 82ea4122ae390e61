#include "bench_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "bench/sweep.h"
#include "verify/setting.h"
#include "vernier/error.h"

namespace vernier {
namespace {

Configuration OnlyConfiguration(const GridLists& lists) {
  const std::vector<Configuration> grid = Expand(lists);
  if (grid.size() != 1 || grid[0].streams != 1) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("{} configurations on one side of a comparison", grid.size()),
        "give one --batch, --dtype, --threads, --size, --branches and --top-features, and no "
        "--streams");
  }
  return grid[0];
}

int64_t ParseBatch(const std::string& text) {
  const std::vector<int64_t> batches = ParseSweep(text);
  if (batches.size() == 1) return batches[0];
  throw Error(ErrorKind::kUsage, fmt::format("batch={}: expected one number", text.substr(0, 40)));
}

std::string Variable(const std::string& pair) {
  if (const size_t equals = pair.find('='); equals != 0 && equals != std::string::npos) return pair;
  throw Error(ErrorKind::kUsage, fmt::format("env={}: expected NAME=VALUE", pair.substr(0, 40)),
              "as in env=LD_PRELOAD=libtcmalloc.so.4");
}

// Takes the keys that are the benchmark's own out of the setting; what is left is the session's.
std::string TakeOwnKeys(const std::string& setting, BenchSide& side) {
  constexpr std::string_view kBatch = "batch=", kProgram = "program=", kEnvironment = "env=";
  std::string rest;
  for (size_t begin = 0; begin < setting.size();) {
    const size_t end = std::min(setting.find(',', begin), setting.size());
    const std::string part = setting.substr(begin, end - begin);
    if (part.starts_with(kBatch)) {
      side.configuration.batch = ParseBatch(part.substr(kBatch.size()));
    } else if (part.starts_with(kProgram)) {
      side.program = part.substr(kProgram.size());
    } else if (part.starts_with(kEnvironment)) {
      side.environment.push_back(Variable(part.substr(kEnvironment.size())));
    } else {
      rest += (rest.empty() ? "" : ",") + part;
    }
    begin = end + 1;
  }
  return rest;
}

}  // namespace

BenchSide ReadSide(const std::string& name, const std::string& setting, const BenchOptions& base,
                   const GridLists& lists) {
  BenchSide side{.name = name,
                 .setting = setting,
                 .configuration = OnlyConfiguration(lists),
                 .new_tokens = base.new_tokens};
  side.session = OptionsOfStream(ToSessionOptions(base.session.WithoutSize()), side.configuration);
  try {
    const std::string rest = TakeOwnKeys(setting, side);
    if (!rest.empty()) side.session = ApplySetting(rest, side.session);
  } catch (const Error& error) {
    throw error.WithContext(name);
  }
  side.configuration.dtype = side.session.dtype;
  side.configuration.threads = side.session.threads;
  side.configuration.parallel_branches = side.session.parallel_branches;
  side.configuration.dense_top_features = side.session.dense_top_features;
  return side;
}

std::vector<std::string> LockstepCommand(const BenchSide& side) {
  const SessionOptions& session = side.session;
  std::vector<std::string> command = {side.program, "bench", "--lockstep"};
  if (side.program.empty()) command[0] = std::filesystem::read_symlink("/proc/self/exe").string();
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
  const int64_t patches = side.configuration.patches;
  if (patches > 0) add("--patches", fmt::to_string(patches));
  if (side.new_tokens >= 0) add("--new-tokens", fmt::to_string(side.new_tokens));
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

RunningSide::RunningSide(const BenchSide& side, Terminal& terminal) : program_(side.program) {
  measured_.side = side.name;
  measured_.setting = side.setting;
  measured_.configuration = side.configuration;
  if (!side.program.empty() || !side.environment.empty()) {
    process_ = std::make_unique<LockstepProcess>(LockstepCommand(side), side.environment);
    RunProcess();  // what it cannot load, it tells now, as a side in this process does
    return;
  }
  streams_ = std::make_unique<LoadedStreams>(side.session, measured_.configuration);
  ShowWarnings(streams_->first().info().warnings, terminal);
  workload_ = std::make_unique<Workload>(
      streams_->first(),
      WorkloadOptions{.batch = measured_.configuration.batch,
                      .patches = measured_.configuration.patches,
                      .new_tokens = NewTokensOf(side.new_tokens, streams_->first())});
  measured_.configuration.patches = workload_->patches();
  measured_.load_ms = streams_->load_ms();
  measured_.configuration.height = streams_->first().info().height;
  measured_.configuration.width = streams_->first().info().width;
}

double RunningSide::Run() {
  if (process_) return RunProcess();
  return TimeOnce([this] { workload_->Run(); });
}

double RunningSide::RunProcess() {
  try {
    return process_->Run();
  } catch (const Error& error) {
    if (program_.empty()) throw;
    throw error.WithContext(program_);
  }
}

Measurement RunningSide::Finish(Timing timing) {
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

}  // namespace vernier
