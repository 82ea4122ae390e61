#include "bench_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "bench/certified.h"
#include "bench/sweep.h"
#include "core/parallel.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int kUsualRuns = 20;
constexpr int64_t kUsualNewTokens = 32;
constexpr double kMostMinutes = 24 * 60;

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<std::string> SomeOf(std::string_view flag, const std::string& text,
                                std::initializer_list<std::string_view> words) {
  std::vector<std::string> parts = SplitAtCommas(text);
  for (const std::string& part : parts) {
    if (std::ranges::count(words, part) > 0) continue;
    throw Error(ErrorKind::kUsage, fmt::format("{}: expected {}, found '{}'", flag,
                                               fmt::join(words, " or "), part.substr(0, 40)));
  }
  return parts;
}

std::vector<int64_t> SweepOf(std::string_view flag, const std::string& text) {
  try {
    return ParseSweep(text);
  } catch (const Error& error) {
    throw error.WithContext(flag);
  }
}

std::vector<BenchSize> SizesOf(const SessionFlags& session) {
  if (session.size.empty()) return {{}};
  std::vector<BenchSize> sizes;
  for (const std::string& part : SplitAtCommas(session.size)) {
    SessionFlags one = session;
    one.size = part.empty() ? "," : part;  // an empty part is a mistake, not the checkpoint's size
    const SessionOptions options = ToSessionOptions(one);
    sizes.push_back({options.height, options.width});
  }
  return sizes;
}

std::string UsualBatches(const BenchOptions& options) {
  if (const Scenario* scenario = ScenarioOf(options)) {
    return std::to_string(scenario->samples_per_query);
  }
  const bool one_at_a_time =
      options.compares_sides() || options.climbs() || options.lockstep || !options.devices.empty();
  return one_at_a_time ? "1" : "1,4,8";
}

std::vector<Flag> SweepFlags(BenchOptions& options) {
  return {
      {.name = "--batch",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Pictures per run: 1,4,8 or ranges such as 1-8, 8-32+8, 1-64*2.",
       .target = &options.batch,
       .unit = "pictures",
       .default_text = "1,4,8; what a scenario asks for; 1 with --b, --rung and --devices"},
      {.name = "--patches",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Patches of a picture, for models that take any number of them.",
       .target = &options.patches,
       .unit = "patches",
       .default_text = "the checkpoint's"},
      {.name = "--dtype",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Numbers to compute in: f32, bf16, int8 (bf16 with weights in 8 bits), or several "
               "as f32,bf16.",
       .target = &options.dtype},
      {.name = "--threads",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Threads of all streams together, as a list or ranges.",
       .target = &options.threads,
       .default_text = "all that this process may use"},
      {.name = "--streams",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Sessions that run at the same time, each with its own weights and an equal "
               "part of the threads.",
       .target = &options.streams},
      {.name = "--branches",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "A model's independent branches one after the other (serial), at the same time "
               "and sharing the threads (parallel), or both as serial,parallel.",
       .target = &options.branches},
      {.name = "--top-features",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "BlendMask: what masks are mixed from is left to the detections' places and is no "
               "part of the network's time (sparse), or computed at every location as published "
               "exports do (dense), or both as sparse,dense.",
       .target = &options.top_features}};
}

std::vector<Flag> TimingFlags(BenchOptions& options) {
  return {{.name = "--runs",
           .metavar = "N",
           .section = "Timing",
           .help = "Samples per configuration, at least.",
           .target = &options.runs,
           .unit = "runs",
           .default_text = "20; with a scenario, what its percentile needs",
           .least = 1},
          {.name = "--min-time",
           .metavar = "S",
           .section = "Timing",
           .help = "Time that the samples of a configuration fill, at least.",
           .target = &options.min_time_s,
           .unit = "seconds"},
          {.name = "--warmup",
           .metavar = "N",
           .section = "Timing",
           .help = "Exactly so many runs before the first sample; the first run counts.",
           .target = &options.warmup,
           .unit = "runs",
           .default_text = "until two windows of 5 runs agree within 2 %",
           .least = 1},
          {.name = "--new-tokens",
           .metavar = "N",
           .section = "Timing",
           .help = "For models that write: tokens of each answer, end tokens put off; 0 encodes "
                   "the pictures only.",
           .target = &options.new_tokens,
           .unit = "tokens",
           .default_text = "32 tokens",
           .least = 0},
          {.name = "--devices",
           .metavar = "LIST",
           .section = "Timing",
           .help = "One column a device, such as cpu,cuda,ascend, of one configuration; a device "
                   "that is not there is left out, and said so.",
           .target = &options.devices},
          {.name = "--scenario",
           .metavar = "NAME",
           .section = "Timing",
           .help = "Measure as MLPerf's rules say: single-stream (1 picture per query, 90th "
                   "percentile), multi-stream (8 per query, 99th percentile) or offline "
                   "(throughput).",
           .target = &options.scenario,
           .choices = {"single-stream", "multi-stream", "offline"}},
          {.name = "--lockstep",
           .metavar = "",
           .section = "Timing",
           .help = "For comparing programs alternately: after warm-up, print the milliseconds of "
                   "one run for each line read from standard input.",
           .target = &options.lockstep}};
}

std::vector<Flag> ComparisonFlags(BenchOptions& options) {
  return {{.name = "--b",
           .metavar = "SETTING",
           .section = "Comparison",
           .help = "Time two settings alternately: what B has differently, as KEY=VALUE,… with "
                   "the keys of compare (dtype, threads, model, isa, onednn and so on), batch, "
                   "program (the path of another build of vernier) and env (NAME=VALUE, of a "
                   "process of its own).",
           .target = &options.side_b},
          {.name = "--a",
           .metavar = "SETTING",
           .section = "Comparison",
           .help = "The same for A, with --b.",
           .target = &options.side_a,
           .default_text = "what the other flags say"},
          {.name = "--rung",
           .metavar = "NAME:SETTING",
           .section = "Comparison",
           .help = "Time several settings in turns, each held to the first and to the one before: "
                   "one flag a rung, settings as for --b; several batches are ladders of their "
                   "own.",
           .target = &options.rungs},
          {.name = "--ladder",
           .metavar = "FOLDER",
           .section = "Comparison",
           .help = "The ladder that BlendMask's port was published with, rung by rung: --model has "
                   "group norms, FOLDER the same network with batch norms.",
           .target = &options.ladder,
           .completion = Completion::kFolder},
          {.name = "--against",
           .metavar = "FILE",
           .section = "Comparison",
           .help = "Compare each configuration with an earlier result (bench --json).",
           .target = &options.against,
           .completion = Completion::kFile},
          {.name = "--fail-if-slower",
           .metavar = "PERCENT",
           .section = "Comparison",
           .help = "A gate: fails when the whole interval is more than this slower, as in 5%; "
                   "inconclusive when the interval holds the bound.",
           .target = &options.fail_if_slower}};
}

}  // namespace

std::vector<Flag> BenchFlags(BenchOptions& options) {
  std::vector<Flag> flags = SessionFlagTable(options.session);
  const auto size = std::ranges::find(flags, "--size", &Flag::name);
  size->metavar = "LIST";
  size->section = "Sweep";
  size->help = "Sizes of the pictures that the model gets, as PIXELS or HEIGHTxWIDTH: 224,384x512.";
  const auto add = [&](const std::vector<Flag>& more) {
    flags.insert(flags.end(), more.begin(), more.end());
  };
  add(SweepFlags(options));
  add(TimingFlags(options));
  add(ComparisonFlags(options));
  add({{.name = "--profile",
        .metavar = "",
        .section = "Insight",
        .help = "Time every node of the running plan and hold it to this machine's peaks.",
        .target = &options.profile},
       {.name = "--trace",
        .metavar = "FILE",
        .section = "Insight",
        .help = "Write the profiled runs as a timeline for ui.perfetto.dev; implies --profile.",
        .target = &options.trace,
        .completion = Completion::kFile,
        .writes = true},
       {.name = "--json",
        .metavar = "FILE",
        .section = "Output",
        .help = "Write all figures as JSON; - is standard output.",
        .target = &options.json,
        .completion = Completion::kFile,
        .writes = true}});
  return flags;
}

GridLists ReadGrid(const BenchOptions& options) {
  GridLists lists;
  lists.dtypes = SomeOf("--dtype", options.dtype, {"f32", "bf16", "int8"});
  lists.threads = options.threads.empty() ? std::vector<int64_t>{AvailableThreads()}
                                          : SweepOf("--threads", options.threads);
  if (const int64_t most = std::ranges::max(lists.threads); most > kMostThreads) {
    throw Error(ErrorKind::kUsage, fmt::format("--threads: expected whole numbers from 1 to {}, "
                                               "found {}",
                                               kMostThreads, most));
  }
  lists.streams = SweepOf("--streams", options.streams);
  lists.parallel_branches.clear();
  for (const std::string& part : SomeOf("--branches", options.branches, {"serial", "parallel"})) {
    lists.parallel_branches.push_back(part == "parallel");
  }
  lists.dense_top_features.clear();
  for (const std::string& part :
       SomeOf("--top-features", options.top_features, {"sparse", "dense"})) {
    lists.dense_top_features.push_back(part == "dense");
  }
  lists.sizes = SizesOf(options.session);
  if (!options.patches.empty()) lists.patches = SweepOf("--patches", options.patches);
  lists.batches = SweepOf("--batch", options.batch.empty() ? UsualBatches(options) : options.batch);
  return lists;
}

const Scenario* ScenarioOf(const BenchOptions& options) { return FindScenario(options.scenario); }

WarmUpRule WarmUpOf(const BenchOptions& options) {
  if (options.warmup == 0) return {};
  return {.least_runs = static_cast<int>(std::min<int64_t>(options.warmup, 1'000'000'000)),
          .until_steady = false};
}

int RunsOf(const BenchOptions& options) {
  constexpr int64_t kMostRuns = 1'000'000'000;
  if (options.runs > 0) return static_cast<int>(std::min(options.runs, kMostRuns));
  const Scenario* scenario = ScenarioOf(options);
  if (scenario == nullptr || scenario->percent == 0) return kUsualRuns;
  return static_cast<int>(LeastSamples(scenario->percent));
}

int64_t NewTokensOf(int64_t asked, const Session& session) {
  if (asked > 0 && session.generation_options() == nullptr) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--new-tokens is for models that write text; this one is a {} model",
                            session.info().family),
                "leave --new-tokens away");
  }
  return asked < 0 ? kUsualNewTokens : asked;
}

double MinMsOf(const BenchOptions& options) {
  const double most_s = kMostMinutes * 60;
  if (!(options.min_time_s >= 0 && options.min_time_s <= most_s)) {
    throw Error(ErrorKind::kUsage, fmt::format("--min-time: expected 0 to {:g} seconds, found {}",
                                               most_s, options.min_time_s));
  }
  return options.min_time_s * 1000;
}

std::optional<double> SlowdownBound(const BenchOptions& options) {
  const std::string& text = options.fail_if_slower;
  if (text.empty()) return std::nullopt;
  double percent = 0;
  const char* last = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), last, percent);
  const bool whole = error == std::errc() && end == last && *last == '%';
  if (!whole || !std::isfinite(percent) || percent < 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--fail-if-slower: expected a percentage such as 5%, found '{}'",
                            text.substr(0, 40)));
  }
  return percent / 100;
}

void CheckFlags(const BenchOptions& options) {
  SlowdownBound(options);
  MinMsOf(options);
  const auto refuse = [](const char* what, const char* hint) {
    throw Error(ErrorKind::kUsage, what, hint);
  };
  const bool more = options.compares_sides() || options.profiles() || !options.against.empty() ||
                    !options.scenario.empty();
  if (!options.devices.empty() && more) {
    refuse("--devices cannot be used with --b, --against, --profile, --trace or --scenario",
           "measure one device with --device");
  }
  if (options.climbs() && (more || !options.devices.empty() || options.lockstep)) {
    refuse(
        "--rung and --ladder stand alone: no --b, --against, --profile, --trace, --scenario, "
        "--devices or --lockstep",
        "give what else is wanted as a rung, or measure it in a run of its own");
  }
  if (!options.side_a.empty() && !options.compares_sides()) {
    refuse("--a needs --b", "say with --b what the other side has differently");
  }
  if (options.compares_sides() && !options.against.empty()) {
    refuse("--b and --against cannot be used together", "--b times both sides in this run");
  }
  if (options.compares_sides() && (options.profiles() || !options.scenario.empty())) {
    refuse("--b cannot be used with --profile, --trace or --scenario",
           "profile each setting in a run of its own");
  }
  if (!options.fail_if_slower.empty() && !options.compares_sides() && options.against.empty()) {
    refuse("--fail-if-slower needs something to compare with",
           "give a second setting with --b or an earlier result with --against");
  }
}

}  // namespace vernier
