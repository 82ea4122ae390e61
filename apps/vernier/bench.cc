#include "bench.h"

#include <fmt/format.h>

#include <iostream>
#include <optional>
#include <random>

#include "bench/bytes_text.h"
#include "bench/machine.h"
#include "bench/memory_use.h"
#include "bench/statistics.h"
#include "bench/sweep.h"
#include "bench/timing_loop.h"
#include "core/interrupt.h"
#include "core/json_writer.h"
#include "core/parallel.h"
#include "json_output.h"
#include "session_flags.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

struct BenchOptions {
  SessionFlags session;
  std::string batch = "1,4,8";
  std::string dtype = "f32";
  std::string threads;
  int64_t runs = 20;
  int64_t warmup = 3;
  std::string json;
  bool lockstep = false;
};

std::vector<Flag> BenchFlags(BenchOptions& options) {
  std::vector<Flag> flags = SessionFlagTable(options.session);
  const std::vector<Flag> own = {
      {.name = "--batch",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Pictures per run: 1,4,8 or ranges such as 1-8, 8-32+8, 1-64*2.",
       .target = &options.batch,
       .unit = "pictures"},
      {.name = "--dtype",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Numbers to compute in: f32, bf16, or both as f32,bf16.",
       .target = &options.dtype},
      {.name = "--threads",
       .metavar = "LIST",
       .section = "Sweep",
       .help = "Threads to use, as a list or ranges.",
       .target = &options.threads,
       .default_text = "all that this process may use"},
      {.name = "--runs",
       .metavar = "N",
       .section = "Timing",
       .help = "Samples per configuration.",
       .target = &options.runs,
       .unit = "runs",
       .least = 1},
      {.name = "--warmup",
       .metavar = "N",
       .section = "Timing",
       .help = "Runs before the first sample; the first run counts.",
       .target = &options.warmup,
       .unit = "runs",
       .least = 1},
      {.name = "--lockstep",
       .metavar = "",
       .section = "Timing",
       .help =
           "For comparing programs alternately: after warm-up, print the milliseconds of one run "
           "for each line read from standard input.",
       .target = &options.lockstep},
      {.name = "--json",
       .metavar = "FILE",
       .section = "Output",
       .help = "Write all figures as JSON; - is standard output.",
       .target = &options.json,
       .completion = Completion::kFile}};
  flags.insert(flags.end(), own.begin(), own.end());
  return flags;
}

struct Configuration {
  std::string dtype;
  int64_t threads = 0;
  int64_t batch = 1;
};

struct Measurement {
  Configuration configuration;
  double load_ms = 0;
  Timing timing;
  Summary summary;
  MemoryUse memory;
  SessionMemory session_memory;
};

std::vector<std::string> ParseDtypes(const std::string& text) {
  std::vector<std::string> dtypes;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string dtype = text.substr(begin, end - begin);
    if (dtype != "f32" && dtype != "bf16") {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--dtype: expected f32 or bf16, found '{}'", dtype.substr(0, 40)));
    }
    dtypes.push_back(dtype);
    begin = end + 1;
  }
  return dtypes;
}

std::vector<int64_t> SweepOf(std::string_view flag, const std::string& text) {
  try {
    return ParseSweep(text);
  } catch (const Error& error) {
    throw error.WithContext(flag);
  }
}

// Noise in the range of normalised pictures: timings do not depend on the values, and denormal or
// constant inputs would be special.
NamedTensors NoisePictures(const ModelInfo& info, int64_t batch) {
  Tensor pixels(DType::kF32, {batch, 3, info.height, info.width});
  std::mt19937_64 random(1);
  for (float& value : pixels.as<float>()) {
    value = static_cast<float>(random() >> 40) / static_cast<float>(1 << 23) - 1.0f;
  }
  NamedTensors inputs;
  inputs.emplace("pixel_values", std::move(pixels));
  return inputs;
}

Measurement Measure(Session& session, const Configuration& configuration, double load_ms,
                    const BenchOptions& options, Terminal& terminal) {
  const NamedTensors inputs = NoisePictures(session.info(), configuration.batch);
  const std::string label = fmt::format("{} batch {}", configuration.dtype, configuration.batch);
  Measurement measured;
  measured.configuration = configuration;
  measured.load_ms = load_ms;
  measured.timing = TimeRepeatedly(
      [&] { session.Run(inputs); },
      {.warmup = static_cast<int>(options.warmup),
       .runs = static_cast<int>(options.runs),
       .before_sample = [&](int i) { terminal.ShowProgress(label, i, options.runs); }});
  terminal.ClearProgress();
  if (measured.timing.samples_ms.empty()) ThrowIfInterrupted();
  measured.summary = Summarize(measured.timing.samples_ms);
  measured.memory = ReadMemoryUse();
  measured.session_memory = session.memory();
  return measured;
}

double PicturesPerSecond(const Measurement& measured) {
  return static_cast<double>(measured.configuration.batch) * 1000 / measured.summary.median;
}

void PrintHeader(Terminal& terminal) {
  terminal.Print("{:<6}{:>8}{:>7}{:>11}{:>20}{:>10}{:>10}{:>10}{:>11}{:>11}{:>11}\n", "dtype",
                 "threads", "batch", "median ms", "95 % interval", "min", "p90", "p99", "images/s",
                 "first ms", "peak RSS");
}

void PrintRow(const Measurement& measured, Terminal& terminal) {
  const Summary& s = measured.summary;
  const Configuration& c = measured.configuration;
  terminal.Print(
      "{:<6}{:>8}{:>7}{:>11.2f}{:>20}{:>10.2f}{:>10.2f}{:>10.2f}{:>11.2f}{:>11.1f}{:>11}\n",
      c.dtype, c.threads, c.batch, s.median,
      fmt::format("{:.2f} to {:.2f}", s.median_interval.low, s.median_interval.high), s.min, s.p90,
      s.p99, PicturesPerSecond(measured), measured.timing.first_run_ms,
      BytesText(measured.memory.peak_rss_bytes));
  terminal.Flush();
}

void WriteRun(const Measurement& measured, JsonWriter& json) {
  const Summary& s = measured.summary;
  json.BeginObject()
      .Field("dtype", measured.configuration.dtype)
      .Field("threads", measured.configuration.threads)
      .Field("batch", measured.configuration.batch)
      .Field("runs", measured.summary.count)
      .Field("complete", measured.timing.complete)
      .Field("median_ms", s.median)
      .Field("median_low_ms", s.median_interval.low)
      .Field("median_high_ms", s.median_interval.high)
      .Field("mean_ms", s.mean)
      .Field("min_ms", s.min)
      .Field("max_ms", s.max)
      .Field("std_ms", s.std)
      .Field("p50_ms", s.p50)
      .Field("p90_ms", s.p90)
      .Field("p99_ms", s.p99)
      .Field("throughput_per_s", PicturesPerSecond(measured))
      .Field("first_run_ms", measured.timing.first_run_ms)
      .Field("load_ms", measured.load_ms)
      .Field("peak_rss_bytes", measured.memory.peak_rss_bytes)
      .Field("anonymous_bytes", measured.memory.anonymous_bytes)
      .Field("file_backed_bytes", measured.memory.file_backed_bytes)
      .Field("weight_bytes", measured.session_memory.weight_bytes)
      .Field("packed_bytes", measured.session_memory.packed_bytes)
      .Field("arena_bytes", measured.session_memory.arena_bytes)
      .Key("samples_ms")
      .Array(measured.timing.samples_ms)
      .EndObject();
}

std::string ReportJson(const BenchOptions& options, const std::vector<Measurement>& measured) {
  JsonWriter json;
  json.BeginObject()
      .Field("version", Version())
      .Field("model", options.session.model)
      .Field("device", options.session.device)
      .Field("percentiles", kPercentileMethod)
      .Field("median_interval", kIntervalMethod)
      .Key("machine");
  WriteJson(ReadMachine(), json);
  json.Key("runs").BeginArray();
  for (const Measurement& measurement : measured) WriteRun(measurement, json);
  json.EndArray().EndObject();
  return json.Take();
}

// The other side decides when a sample is taken, so that two programs never run at the same time.
Outcome Lockstep(Session& session, int64_t batch, const BenchOptions& options, Terminal& terminal) {
  const NamedTensors inputs = NoisePictures(session.info(), batch);
  for (int64_t i = 0; i < options.warmup; ++i) session.Run(inputs);
  terminal.Note(fmt::format("ready vernier {}", Version()));
  for (std::string line; !Interrupted() && std::getline(std::cin, line);) {
    terminal.Print("{:.6f}\n", TimeOnce([&] { session.Run(inputs); }));
    terminal.Flush();
  }
  return {};
}

Outcome RunBench(const BenchOptions& options, Terminal& terminal) {
  const std::vector<int64_t> batches = SweepOf("--batch", options.batch);
  const std::vector<std::string> dtypes = ParseDtypes(options.dtype);
  const std::vector<int64_t> threads = options.threads.empty()
                                           ? std::vector<int64_t>{AvailableThreads()}
                                           : SweepOf("--threads", options.threads);
  if (options.lockstep && (batches.size() > 1 || dtypes.size() > 1 || threads.size() > 1)) {
    throw Error(ErrorKind::kUsage, "--lockstep measures one configuration",
                "give one --batch, one --dtype and one --threads");
  }
  const bool table = options.json != "-" && !options.lockstep;
  if (table) {
    terminal.Print("{}\n\n", OneLine(ReadMachine()));
    PrintHeader(terminal);
  }
  std::vector<Measurement> measured;
  for (const std::string& dtype : dtypes) {
    for (int64_t count : threads) {
      ResetPeakMemory();
      SessionOptions session_options = ToSessionOptions(options.session);
      session_options.dtype = dtype;
      session_options.threads = static_cast<int>(count);
      std::optional<Session> session;
      const double load_ms = TimeOnce([&] { session.emplace(session_options); });
      if (measured.empty()) ShowWarnings(session->info().warnings, terminal);
      if (options.lockstep) return Lockstep(*session, batches[0], options, terminal);
      for (int64_t batch : batches) {
        ThrowIfInterrupted();
        measured.push_back(Measure(*session, {dtype, count, batch}, load_ms, options, terminal));
        if (table) PrintRow(measured.back(), terminal);
      }
    }
  }
  if (!options.json.empty()) {
    WriteJsonOutput(options.json, ReportJson(options, measured), terminal);
  }
  if (Interrupted()) return {.exit_code = kExitInterrupted, .reason = "fewer samples than asked"};
  return {};
}

}  // namespace

Verb BenchVerb() {
  return {
      .name = "bench",
      .summary = "how long a model takes, how much memory, on this machine",
      .description =
          "Loads the model, runs it on noise of its own picture size, and reports the time of one "
          "run: first run, then median with a 95 % bootstrap interval, minimum and percentiles "
          "over the samples after warm-up, pictures per second, and memory. Loading and the "
          "preparation of pictures are not part of a sample.",
      .examples =
          {{"vernier bench --model vit-base --batch 1,4,8",
            "the table for one model at three batch sizes"},
           {"vernier bench --model vit-base --dtype f32,bf16 --threads 1-4 --json bench.json",
            "a sweep over numbers and threads, with every sample in a file"}},
      .start = Starter(BenchFlags, RunBench)};
}

}  // namespace vernier
