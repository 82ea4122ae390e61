#include "bench/measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "bench/peaks.h"
#include "bench/stream_loop.h"
#include "core/interrupt.h"

namespace vernier {
namespace {

constexpr double kCertifiedPercents[] = {90, 95, 99, 99.9};
constexpr int kProfileRuns = 10;
constexpr double kMostProfileMs = 10'000;

// Runs that answer one query of the scenario; without one, a sample is a run.
int64_t RunsPerQuery(const MeasureOptions& options, int64_t batch) {
  if (options.scenario == nullptr || options.scenario->percent == 0) return 1;
  const int64_t samples = options.scenario->samples_per_query;
  if (samples % batch != 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--scenario {}: a query of {} sample{} cannot be answered in batches "
                            "of {}",
                            options.scenario->name, samples, samples == 1 ? "" : "s", batch),
                "give a --batch that divides it");
  }
  return samples / batch;
}

// Outputs must not change from run to run, nor from stream to stream.
class OutputWatch {
 public:
  void See(const std::vector<Workload>& workloads) {
    for (const Workload& workload : workloads) {
      const std::string hash = workload.OutputsHash();
      if (first_.empty()) first_ = hash;
      repeats_ = repeats_ && hash == first_;
    }
  }
  const std::string& first() const { return first_; }
  bool repeats() const { return repeats_; }

 private:
  std::string first_;
  bool repeats_ = true;
};

// Returns, where a profile of a model that writes is taken, how fast memory was right after each
// run, GB/s: what its tokens are held to, since that changes within seconds on shared machines.
std::vector<double> TimeOneStream(std::vector<Workload>& workloads, int64_t runs_per_query,
                                  const MeasureOptions& options, OutputWatch& watch,
                                  Measurement& measured) {
  std::vector<double> calibration_ms;
  std::optional<MemoryReader> reader;
  if (options.peaks != nullptr && workloads[0].writes()) reader.emplace(options.peaks->threads);
  std::vector<double> memory_gb_per_s;
  const auto read_memory = [&] {
    if (reader) memory_gb_per_s.push_back(reader->GbPerSecond());
  };
  const double frequency_before_mhz = ReadFrequencyMhz();
  measured.timing = TimeRepeatedly(
      [&] {
        for (int64_t i = 0; i < runs_per_query; ++i) workloads[0].Run();
      },
      {.warm_up = options.warm_up,
       .runs = options.runs,
       .min_ms = options.min_ms,
       .before_sample = [&](int done) {
         if (done == 0) watch.See(workloads);
         if (done > 0) read_memory();
         if (options.progress) options.progress(done);
         calibration_ms.push_back(TimeOnce(RunCalibrationKernel));
       }});
  read_memory();
  const std::vector<double>& samples_ms = measured.timing.samples_ms;
  measured.wall_ms = std::reduce(samples_ms.begin(), samples_ms.end());
  measured.drift = JudgeDrift({.samples_ms = samples_ms,
                               .calibration_ms = calibration_ms,
                               .frequency_before_mhz = frequency_before_mhz,
                               .frequency_after_mhz = ReadFrequencyMhz()});
  return memory_gb_per_s;
}

void TimeSideBySide(std::vector<Workload>& workloads, int64_t runs_per_query,
                    const MeasureOptions& options, Measurement& measured) {
  std::vector<std::function<void()>> works;
  for (Workload& workload : workloads) {
    works.push_back([&workload, runs_per_query] {
      for (int64_t i = 0; i < runs_per_query; ++i) workload.Run();
    });
  }
  const double frequency_before_mhz = ReadFrequencyMhz();
  const StreamTiming streams = TimeStreams(
      works, {.warm_up = options.warm_up, .runs = options.runs, .min_ms = options.min_ms});
  measured.timing = streams.timing;
  measured.wall_ms = streams.wall_ms;
  measured.drift = JudgeDrift({.samples_ms = measured.timing.samples_ms,
                               .calibration_ms = {},
                               .frequency_before_mhz = frequency_before_mhz,
                               .frequency_after_mhz = ReadFrequencyMhz()});
}

// All runs of a workload but those of its warm-up.
void SummarizeGeneration(const std::vector<Workload>& workloads, int64_t runs_per_query,
                         Measurement& measured) {
  std::vector<GenerationSeconds> runs;
  const auto warm_up_runs = static_cast<size_t>(measured.timing.warm_up.runs * runs_per_query);
  for (const Workload& workload : workloads) {
    const std::span<const GenerationSeconds> all = workload.generation_seconds();
    const auto kept = all.subspan(std::min(warm_up_runs, all.size() - 1));
    runs.insert(runs.end(), kept.begin(), kept.end());
  }
  measured.generation = TimingOf(runs, measured.configuration.batch, workloads[0].new_tokens());
}

void TakeProfile(Workload& workload, const Peaks& peaks, Measurement& measured) {
  Timeline timeline{.name = InWords(measured.configuration),
                    .nodes = workload.session().Placement(workload.watched_inputs())};
  double spent_ms = 0;
  while (timeline.runs.size() < kProfileRuns && !Interrupted() &&
         (timeline.runs.empty() || spent_ms < kMostProfileMs)) {
    std::vector<NodeTime> times;
    RunHooks hooks;
    hooks.node_times = &times;
    spent_ms += TimeOnce([&] { workload.RunWatched(hooks); });
    timeline.runs.push_back(std::move(times));
  }
  if (timeline.runs.empty()) return;
  measured.profile = MakeProfile(timeline.nodes, timeline.runs, peaks);
  measured.timeline = std::move(timeline);
}

}  // namespace

double Measurement::throughput_per_s() const {
  const double pictures = static_cast<double>(samples_per_query);
  if (configuration.streams == 1) return pictures * 1000 / summary.median;
  return pictures * static_cast<double>(summary.count) * 1000 / wall_ms;
}

LoadedStreams::LoadedStreams(const SessionOptions& base, const Configuration& configuration) {
  const SessionOptions options = OptionsOfStream(base, configuration);
  load_ms_ = TimeOnce([&] {
    for (int64_t i = 0; i < configuration.streams; ++i) {
      sessions_.push_back(std::make_unique<Session>(options));
    }
  });
  const ModelInfo& info = first().info();
  if (options.dense_top_features && info.classes == 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("dense top features: a {} model has none", info.family),
                "they are BlendMask's; leave --top-features away");
  }
}

std::vector<Workload> LoadedStreams::Workloads(const WorkloadOptions& options) const {
  std::vector<Workload> workloads;
  for (const auto& session : sessions_) workloads.emplace_back(*session, options);
  return workloads;
}

SessionMemory LoadedStreams::memory() const {
  SessionMemory sum;
  for (const auto& session : sessions_) {
    const SessionMemory memory = session->memory();
    sum.weight_bytes += memory.weight_bytes;
    sum.packed_bytes += memory.packed_bytes;
    sum.arena_bytes += memory.arena_bytes;
    sum.cache_bytes += memory.cache_bytes;
  }
  return sum;
}

Measurement Measure(const LoadedStreams& streams, const Configuration& configuration,
                    const MeasureOptions& options) {
  Measurement measured{.configuration = configuration, .load_ms = streams.load_ms()};
  measured.configuration.height = streams.first().info().height;
  measured.configuration.width = streams.first().info().width;
  const int64_t runs_per_query = RunsPerQuery(options, configuration.batch);
  measured.samples_per_query = runs_per_query * configuration.batch;
  std::vector<Workload> workloads = streams.Workloads({.batch = configuration.batch,
                                                       .patches = configuration.patches,
                                                       .new_tokens = options.new_tokens});
  measured.configuration.patches = workloads[0].patches();
  OutputWatch watch;
  std::vector<double> memory_gb_per_s;
  if (workloads.size() == 1) {
    memory_gb_per_s = TimeOneStream(workloads, runs_per_query, options, watch, measured);
  } else {
    TimeSideBySide(workloads, runs_per_query, options, measured);
  }
  if (measured.timing.samples_ms.empty()) ThrowIfInterrupted();
  watch.See(workloads);
  measured.outputs_sha256 = watch.first();
  measured.outputs_repeat = watch.repeats();
  measured.memory = ReadMemoryUse();
  measured.planned = streams.memory();
  Conclude(measured);
  if (workloads[0].writes()) {
    SummarizeGeneration(workloads, runs_per_query, measured);
    measured.generation->memory_gb_per_s = std::move(memory_gb_per_s);
  }
  if (workloads[0].detects() && workloads.size() == 1) {
    measured.detection = TimeDetections(workloads[0], measured.summary.median);
  }
  if (options.scenario != nullptr) {
    measured.scenario = JudgeScenario(*options.scenario, measured.samples_per_query,
                                      measured.timing.samples_ms, measured.wall_ms);
  }
  if (options.peaks != nullptr) TakeProfile(workloads[0], *options.peaks, measured);
  return measured;
}

void Conclude(Measurement& measured) {
  measured.summary = Summarize(measured.timing.samples_ms);
  std::vector<double> sorted = measured.timing.samples_ms;
  std::ranges::sort(sorted);
  for (double percent : kCertifiedPercents) measured.certified.push_back(Certify(sorted, percent));
}

}  // namespace vernier
