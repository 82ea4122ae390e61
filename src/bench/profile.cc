#include "bench/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bench/statistics.h"
#include "bench/trace.h"
#include "core/check.h"

namespace vernier {
namespace {

constexpr size_t kMostWasteful = 10;

// Least milliseconds for work at a rate of 1e9 per second.
double MsAt(int64_t amount, double giga_per_s) {
  return giga_per_s > 0 ? static_cast<double>(amount) / giga_per_s / 1e6 : 0;
}

double RateOf(int64_t amount, double ms) {
  return ms > 0 ? static_cast<double>(amount) / ms / 1e6 : 0;
}

// Rates and shares from ms, flops, bytes and the time that the roofline allows.
void Judge(WorkShare& work, double run_ms, double compute_ms, double memory_ms) {
  work.share = run_ms > 0 ? work.ms / run_ms : 0;
  work.gflops = RateOf(work.flops, work.ms);
  work.gb_per_s = RateOf(work.bytes, work.ms);
  work.compute_share = work.ms > 0 ? compute_ms / work.ms : 0;
  work.memory_share = work.ms > 0 ? memory_ms / work.ms : 0;
  work.compute_bound = compute_ms >= memory_ms;
}

// When no node ran, between the first begin and the last end.
double IdleUs(std::vector<NodeTime> times) {
  std::ranges::sort(times, {}, &NodeTime::start_us);
  double idle_us = 0;
  double busy_until_us = times.empty() ? 0 : times[0].start_us;
  for (const NodeTime& time : times) {
    idle_us += std::max(0.0, time.start_us - busy_until_us);
    busy_until_us = std::max(busy_until_us, time.end_us);
  }
  return idle_us;
}

double LengthUs(const std::vector<NodeTime>& times) {
  if (times.empty()) return 0;
  return std::ranges::max(times, {}, &NodeTime::end_us).end_us -
         std::ranges::min(times, {}, &NodeTime::start_us).start_us;
}

std::string Sentence(const NodeProfile& node, const Peaks& peaks) {
  const WorkShare& work = node.work;
  const std::string peak =
      work.compute_bound
          ? fmt::format("{:.3g} GFLOP at {:.0f} GFLOP/s, {:.0f} % of the peak",
                        static_cast<double>(work.flops) / 1e9, work.gflops,
                        100 * work.compute_share)
          : fmt::format("{:.3g} MB at {:.1f} GB/s, {:.0f} % of the memory's {:.0f} GB/s",
                        static_cast<double>(work.bytes) / 1e6, work.gb_per_s,
                        100 * work.memory_share, peaks.gb_per_s);
  return fmt::format("{} ({}, {}) takes {:.3f} ms and could take {:.3f}: {}", node.node.name,
                     node.node.op, node.node.dtype, work.ms, work.ms - work.lost_ms, peak);
}

// All nodes of one key, in the order in which the keys first appear.
using Key = std::pair<std::string, std::string>;
struct KeySum {
  Key key;
  int64_t count = 0;
  WorkShare work;
  double compute_ms = 0;
  double memory_ms = 0;
};

template <class KeyOf>
std::vector<KeySum> SumBy(const KeyOf& key_of, const std::vector<NodeProfile>& nodes,
                          double run_ms) {
  std::vector<KeySum> sums;
  for (const NodeProfile& node : nodes) {
    auto found = std::ranges::find(sums, key_of(node.node), &KeySum::key);
    if (found == sums.end()) found = sums.insert(sums.end(), {.key = key_of(node.node)});
    ++found->count;
    found->work.ms += node.work.ms;
    found->work.flops += node.work.flops;
    found->work.bytes += node.work.bytes;
    found->work.lost_ms += node.work.lost_ms;
    found->compute_ms += node.work.compute_share * node.work.ms;
    found->memory_ms += node.work.memory_share * node.work.ms;
  }
  for (KeySum& sum : sums) Judge(sum.work, run_ms, sum.compute_ms, sum.memory_ms);
  return sums;
}

std::vector<OpProfile> SumByOp(const std::vector<NodeProfile>& nodes, double run_ms) {
  std::vector<OpProfile> ops;
  const auto key_of = [](const PlacedNode& node) { return Key(node.op, node.dtype); };
  for (KeySum& sum : SumBy(key_of, nodes, run_ms)) {
    ops.push_back({std::move(sum.key.first), std::move(sum.key.second), sum.count, sum.work});
  }
  std::ranges::stable_sort(ops, std::greater(), [](const OpProfile& op) { return op.work.ms; });
  return ops;
}

std::vector<PartProfile> SumByPart(const std::vector<NodeProfile>& nodes, double run_ms) {
  std::vector<PartProfile> parts;
  const auto key_of = [](const PlacedNode& node) { return Key(node.part, ""); };
  for (KeySum& sum : SumBy(key_of, nodes, run_ms)) {
    parts.push_back({std::move(sum.key.first), sum.count, sum.work});
  }
  return parts;
}

std::vector<std::string> Wasteful(const std::vector<NodeProfile>& nodes, const Peaks& peaks) {
  std::vector<const NodeProfile*> order;
  for (const NodeProfile& node : nodes) order.push_back(&node);
  std::ranges::stable_sort(order, std::greater(),
                           [](const NodeProfile* node) { return node->work.lost_ms; });
  order.resize(std::min(order.size(), kMostWasteful));
  std::vector<std::string> sentences;
  for (const NodeProfile* node : order) sentences.push_back(Sentence(*node, peaks));
  return sentences;
}

JsonWriter& WriteWork(const WorkShare& work, JsonWriter& json) {
  return json.Field("ms", work.ms)
      .Field("share", work.share)
      .Field("flops", work.flops)
      .Field("bytes", work.bytes)
      .Field("gflops", work.gflops)
      .Field("gb_per_s", work.gb_per_s)
      .Field("compute_share", work.compute_share)
      .Field("memory_share", work.memory_share)
      .Field("bound", work.compute_bound ? "compute" : "memory")
      .Field("lost_ms", work.lost_ms);
}

}  // namespace

Profile MakeProfile(std::span<const PlacedNode> nodes, std::span<const std::vector<NodeTime>> runs,
                    const Peaks& peaks) {
  VN_CHECK(!runs.empty(), "a profile needs runs");
  Profile profile{.peaks = peaks, .runs = static_cast<int>(runs.size())};
  std::vector<double> length_us, idle_us, node_us(runs.size());
  for (const std::vector<NodeTime>& times : runs) {
    VN_CHECK(times.size() == nodes.size(), "one time per node");
    length_us.push_back(LengthUs(times));
    idle_us.push_back(IdleUs(times));
  }
  profile.run_ms = Median(length_us) / 1000;
  profile.between_ms = Median(idle_us) / 1000;
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::ranges::transform(runs, node_us.begin(), [i](const std::vector<NodeTime>& times) {
      return times[i].end_us - times[i].start_us;
    });
    NodeProfile node{.node = nodes[i]};
    node.work.ms = Median(node_us) / 1000;
    node.work.flops = nodes[i].flops;
    node.work.bytes = nodes[i].bytes;
    const double compute_ms = MsAt(nodes[i].flops, peaks.gflops(nodes[i].dtype));
    const double memory_ms = MsAt(nodes[i].bytes, peaks.gb_per_s);
    node.work.lost_ms = std::max(0.0, node.work.ms - std::max(compute_ms, memory_ms));
    Judge(node.work, profile.run_ms, compute_ms, memory_ms);
    profile.lanes = std::max(profile.lanes, nodes[i].lane + 1);
    profile.nodes.push_back(std::move(node));
  }
  profile.parts = SumByPart(profile.nodes, profile.run_ms);
  profile.ops = SumByOp(profile.nodes, profile.run_ms);
  profile.wasteful = Wasteful(profile.nodes, peaks);
  return profile;
}

void WriteJson(const Profile& profile, JsonWriter& json) {
  json.BeginObject()
      .Field("runs", profile.runs)
      .Field("lanes", profile.lanes)
      .Field("run_ms", profile.run_ms)
      .Field("between_ms", profile.between_ms)
      .Key("peaks");
  WriteJson(profile.peaks, json);
  json.Key("parts").BeginArray();
  for (const PartProfile& part : profile.parts) {
    json.BeginObject().Field("part", part.part).Field("count", part.count);
    WriteWork(part.work, json).EndObject();
  }
  json.EndArray().Key("ops").BeginArray();
  for (const OpProfile& op : profile.ops) {
    json.BeginObject().Field("op", op.op).Field("dtype", op.dtype).Field("count", op.count);
    WriteWork(op.work, json).EndObject();
  }
  json.EndArray().Key("nodes").BeginArray();
  for (const NodeProfile& node : profile.nodes) {
    json.BeginObject()
        .Field("name", node.node.name)
        .Field("part", node.node.part)
        .Field("op", node.node.op)
        .Field("dtype", node.node.dtype)
        .Field("kernel", KernelName(node.node))
        .Field("lane", node.node.lane);
    WriteWork(node.work, json).EndObject();
  }
  json.EndArray().Key("wasteful").Array(profile.wasteful).EndObject();
}

}  // namespace vernier
