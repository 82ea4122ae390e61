#include "bench/earlier_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/json.h"

namespace vernier {
namespace {

std::vector<double> ReadSamples(const Json& run) {
  std::vector<double> samples_ms = run.GetNumbers("samples_ms");
  const bool positive = std::ranges::all_of(samples_ms, [](double ms) { return ms > 0; });
  if (samples_ms.empty() || !positive) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected times above zero", run.Where("samples_ms")));
  }
  return samples_ms;
}

EarlierRun ReadRun(const Json& run) {
  return {
      .configuration = {.dtype = run.GetString("dtype"),
                        .threads = run.GetInt("threads"),
                        .streams = run.GetInt("streams", 1),
                        .parallel_branches = run.GetString("branches", "serial") == "parallel",
                        .dense_top_features = run.GetString("top_features", "sparse") == "dense",
                        .height = run.GetInt("height", 0),
                        .width = run.GetInt("width", 0),
                        .patches = run.GetInt("patches", 0),
                        .batch = run.GetInt("batch")},
      .samples_ms = ReadSamples(run),
      .outputs_sha256 = run.GetString("outputs_sha256", "")};
}

Machine ReadMachineOf(const Json& json) {
  Machine machine;
  machine.cpu_model = json.GetString("cpu_model");
  machine.architecture = json.GetString("architecture", "");
  machine.kernel = json.GetString("kernel", "");
  machine.governor = json.GetString("governor", "");
  machine.logical_cpus = static_cast<int>(json.GetInt("logical_cpus", 0));
  machine.available_threads = static_cast<int>(json.GetInt("available_threads", 0));
  return machine;
}

}  // namespace

EarlierResult ReadEarlierResult(const std::string& file) {
  const Json json = Json::ParseFile(file);
  if (!json.is_object() || !json.Has("runs") || !json.Has("machine")) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected a result of vernier bench, found other JSON", file),
                "write one with vernier bench --json FILE");
  }
  EarlierResult earlier{.file = file,
                        .started = json.GetString("started", ""),
                        .model = json.GetString("model", ""),
                        .machine = ReadMachineOf(json.GetObject("machine"))};
  for (const Json& run : json.GetArray("runs").items()) {
    if (!run.is_object()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: expected objects", json.Where("runs")));
    }
    if (!run.Has("error")) earlier.runs.push_back(ReadRun(run));
  }
  if (earlier.runs.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: there is no run to compare with", json.Where("runs")));
  }
  return earlier;
}

const EarlierRun* FindRun(const EarlierResult& earlier, const Configuration& wanted) {
  const auto matches = [&](const EarlierRun& run) {
    Configuration known = run.configuration;
    // Files of old versions do not say the size.
    if (known.height == 0) known.height = wanted.height;
    if (known.width == 0) known.width = wanted.width;
    return known == wanted;
  };
  const auto found = std::ranges::find_if(earlier.runs, matches);
  return found == earlier.runs.end() ? nullptr : &*found;
}

std::vector<std::string> Differences(const Machine& earlier, const Machine& now) {
  std::vector<std::string> differences;
  const auto compare = [&](const char* what, const auto& then, const auto& today) {
    if (then != today) {
      differences.push_back(fmt::format("{} '{}', now '{}'", what, then, today));
    }
  };
  compare("processor", earlier.cpu_model, now.cpu_model);
  compare("architecture", earlier.architecture, now.architecture);
  compare("processors", earlier.logical_cpus, now.logical_cpus);
  compare("available threads", earlier.available_threads, now.available_threads);
  compare("kernel", earlier.kernel, now.kernel);
  compare("governor", earlier.governor, now.governor);
  return differences;
}

SpeedComparison CompareWithEarlier(const EarlierResult& earlier, const EarlierRun& run,
                                   const Measurement& now, const Machine& machine,
                                   std::optional<double> bound) {
  const std::vector<std::string> differences = Differences(earlier.machine, machine);
  SpeedComparison comparison{
      .a = earlier.started.empty() ? earlier.file
                                   : fmt::format("{} of {}", earlier.file, earlier.started),
      .b = InWords(now.configuration),
      .evidence = differences.empty() ? Evidence::kOtherTime : Evidence::kOtherMachine,
      .a_median_ms = Median(run.samples_ms),
      .b_median_ms = now.summary.median,
      .ratio = CompareSeparate(run.samples_ms, now.timing.samples_ms)};
  if (!run.outputs_sha256.empty()) {
    comparison.same_outputs = run.outputs_sha256 == now.outputs_sha256;
  }
  if (!bound) return comparison;
  comparison.bound = *bound;
  comparison.gate = JudgeSlowdown(comparison.ratio, *bound);
  if (!differences.empty()) {
    comparison.gate = {GateState::kInconclusive,
                       fmt::format("{} was measured on another machine ({}); measure both sides "
                                   "here, alternately, with --a and --b",
                                   earlier.file, fmt::join(differences, "; "))};
  }
  return comparison;
}

}  // namespace vernier
