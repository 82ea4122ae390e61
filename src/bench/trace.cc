#include "bench/trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json_writer.h"

namespace vernier {
namespace {

constexpr double kGapUs = 100;  // between runs, which are drawn one after the other

void WriteName(std::string_view kind, size_t process, int thread, std::string_view name,
               JsonWriter& json) {
  json.BeginObject()
      .Field("ph", "M")
      .Field("name", kind)
      .Field("pid", process)
      .Field("tid", thread)
      .Key("args")
      .BeginObject()
      .Field("name", name)
      .EndObject()
      .EndObject();
}

JsonWriter& BeginSlice(std::string_view name, std::string_view category, size_t process, int thread,
                       JsonWriter& json) {
  return json.BeginObject()
      .Field("ph", "X")
      .Field("name", name)
      .Field("cat", category)
      .Field("pid", process)
      .Field("tid", thread);
}

double EndOf(const std::vector<NodeTime>& times) {
  double end_us = 0;
  for (const NodeTime& time : times) end_us = std::max(end_us, time.end_us);
  return end_us;
}

void WriteTimeline(const Timeline& timeline, size_t process, JsonWriter& json) {
  int lanes = 1;
  for (const PlacedNode& node : timeline.nodes) lanes = std::max(lanes, node.lane + 1);
  WriteName("process_name", process, 0, timeline.name, json);
  for (int lane = 0; lane < lanes; ++lane) {
    WriteName("thread_name", process, lane, fmt::format("lane {}", lane), json);
  }
  double origin_us = 0;
  for (size_t run = 0; run < timeline.runs.size(); ++run) {
    const std::vector<NodeTime>& times = timeline.runs[run];
    BeginSlice(fmt::format("run {}", run + 1), "run", process, 0, json)
        .Field("ts", origin_us)
        .Field("dur", EndOf(times))
        .EndObject();
    for (size_t i = 0; i < times.size(); ++i) {
      const PlacedNode& node = timeline.nodes[i];
      BeginSlice(node.name, node.op, process, node.lane, json)
          .Field("ts", origin_us + times[i].start_us)
          .Field("dur", times[i].end_us - times[i].start_us)
          .Key("args")
          .BeginObject()
          .Field("dtype", node.dtype)
          .Field("kernel", KernelName(node))
          .Field("flops", node.flops)
          .Field("bytes", node.bytes)
          .EndObject()
          .EndObject();
    }
    origin_us += EndOf(times) + kGapUs;
  }
}

}  // namespace

std::string KernelName(const PlacedNode& node) {
  return fmt::format("{}:{}:{}", node.provider, node.isa, node.kernel);
}

std::string TraceJson(const std::vector<Timeline>& timelines) {
  JsonWriter json(JsonWriter::Layout::kOneLine);
  json.BeginObject().Field("displayTimeUnit", "ms").Key("traceEvents").BeginArray();
  for (size_t i = 0; i < timelines.size(); ++i) WriteTimeline(timelines[i], i + 1, json);
  json.EndArray().EndObject();
  return json.Take();
}

}  // namespace vernier
