#include "bench_devices.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/machine.h"
#include "bench/measurement.h"
#include "bench_table.h"
#include "core/interrupt.h"
#include "core/json_writer.h"
#include "json_output.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

struct DeviceColumn {
  std::string device;
  Measurement measured;
};

struct LeftOut {
  std::string device;
  std::string why;
};

struct DeviceTable {
  std::string configuration;
  std::vector<DeviceColumn> columns;
  std::vector<LeftOut> left_out;
};

// A row of the table; nothing where a model has no such figure.
struct Figure {
  const char* name;
  const char* key;
  std::function<std::optional<double>(const Measurement&)> of;
  bool is_time = true;
};

std::vector<Figure> Figures() {
  const auto written = [](double GenerationTiming::*figure) {
    return [figure](const Measurement& m) {
      return m.generation ? std::optional((*m.generation).*figure) : std::nullopt;
    };
  };
  return {{"mean latency", "mean_ms", [](const Measurement& m) { return m.summary.mean; }},
          {"P50", "p50_ms", [](const Measurement& m) { return m.summary.p50; }},
          {"P99", "p99_ms", [](const Measurement& m) { return m.summary.p99; }},
          {"first token", "first_token_ms",
           [](const Measurement& m) {
             return m.generation ? std::optional(m.generation->first_token_ms.median)
                                 : std::nullopt;
           }},
          {"further token", "further_token_ms",
           [](const Measurement& m) {
             const bool has = m.generation && m.generation->inter_token_ms.count > 0;
             return has ? std::optional(m.generation->inter_token_ms.median) : std::nullopt;
           }},
          {"pictures/s", "pictures_per_s",
           [](const Measurement& m) { return m.throughput_per_s(); }, false},
          {"tokens/s", "tokens_per_s", written(&GenerationTiming::tokens_per_s), false}};
}

std::vector<std::string> DevicesOf(const std::string& list) {
  std::vector<std::string> devices;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    devices.push_back(list.substr(begin, end - begin));
    if (devices.back().empty()) {
      throw Error(ErrorKind::kUsage, fmt::format("--devices '{}': a name is missing", list),
                  "write devices as cpu,cuda,ascend");
    }
    begin = end + 1;
  }
  return devices;
}

void MeasureDevice(const BenchOptions& options, const Configuration& configuration,
                   const std::string& device, Terminal& terminal, DeviceTable& table) {
  SessionOptions session = ToSessionOptions(options.session.WithoutSize());
  session.device = device;
  try {
    const LoadedStreams streams(session, configuration);
    const int runs = RunsOf(options);
    const MeasureOptions measure{
        .warm_up = WarmUpOf(options),
        .runs = runs,
        .min_ms = MinMsOf(options),
        .new_tokens = NewTokensOf(options.new_tokens, streams.first()),
        .progress = [&](int done) { terminal.ShowProgress(device, done, runs); }};
    table.columns.push_back({device, Measure(streams, configuration, measure)});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDevice) throw;
    table.left_out.push_back({device, error.message()});
  }
  terminal.ClearProgress();
}

// "784 patches, 32 new tokens; 20 samples after 3 warm-up runs".
std::string WorkText(const Measurement& measured) {
  std::string text;
  if (measured.configuration.patches > 0) {
    text += fmt::format("{} patches, ", measured.configuration.patches);
  }
  if (measured.generation) text += fmt::format("{} new tokens; ", measured.generation->new_tokens);
  return text + fmt::format("{} samples after {} warm-up runs", measured.summary.count,
                            measured.timing.warm_up.runs);
}

void Print(const DeviceTable& table, Terminal& terminal) {
  terminal.Print("{}\n{}: {}\nTimes in ms.\n\n{:<16}", OneLine(ReadMachine()), table.configuration,
                 WorkText(table.columns[0].measured), "");
  for (const DeviceColumn& column : table.columns) terminal.Print("{:>12}", column.device);
  terminal.Write("\n");
  for (const Figure& figure : Figures()) {
    if (!figure.of(table.columns[0].measured)) continue;
    terminal.Print("{:<16}", figure.name);
    for (const DeviceColumn& column : table.columns) {
      const double value = figure.of(column.measured).value_or(0);
      terminal.Print("{:>12}", figure.is_time ? MsText(value) : fmt::format("{:.2f}", value));
    }
    terminal.Write("\n");
  }
  for (const LeftOut& device : table.left_out) {
    terminal.Print("left out: {}: {}\n", device.device, device.why);
  }
  terminal.Flush();
}

std::string ToJson(const DeviceTable& table, const BenchOptions& options) {
  JsonWriter json;
  json.BeginObject()
      .Field("version", Version())
      .Field("model", options.session.model)
      .Field("configuration", table.configuration)
      .Key("machine");
  WriteJson(ReadMachine(), json);
  json.Key("devices").BeginArray();
  for (const DeviceColumn& column : table.columns) {
    json.BeginObject().Field("device", column.device);
    for (const Figure& figure : Figures()) {
      if (const auto value = figure.of(column.measured)) json.Field(figure.key, *value);
    }
    json.Key("samples_ms").Array(column.measured.timing.samples_ms).EndObject();
  }
  json.EndArray().Key("left_out").BeginArray();
  for (const LeftOut& device : table.left_out) {
    json.BeginObject().Field("device", device.device).Field("why", device.why).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take();
}

}  // namespace

Outcome BenchDevices(const BenchOptions& options, const GridLists& lists, Terminal& terminal) {
  const std::vector<Configuration> grid = Expand(lists);
  if (grid.size() != 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--devices measures one configuration, and these are {}", grid.size()),
                "give one --batch, one --dtype and one --threads");
  }
  DeviceTable table{.configuration = InWords(grid[0]), .columns = {}, .left_out = {}};
  for (const std::string& device : DevicesOf(options.devices)) {
    ThrowIfInterrupted();
    MeasureDevice(options, grid[0], device, terminal, table);
  }
  if (table.columns.empty()) {
    throw Error(
        ErrorKind::kDevice,
        fmt::format("none of the devices {} is there: {}", options.devices, table.left_out[0].why),
        "vernier doctor shows what this machine has");
  }
  if (options.json != "-") Print(table, terminal);
  if (!options.json.empty()) WriteJsonOutput(options.json, ToJson(table, options), terminal);
  return {};
}

}  // namespace vernier
