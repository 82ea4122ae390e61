// Where the time of a run goes: nodes of the running plan, timed in place, held to the machine's
// roofline. The least time that a node could take is the longer of its FLOPs at the peak of its
// numbers and its bytes at the memory's peak; what it takes beyond that is lost. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/peaks.h"
#include "core/json_writer.h"
#include "vernier/session.h"

namespace vernier {

/// Time and work of one node, or of all nodes of one kind.
struct WorkShare {
  double ms = 0;     // median over the runs; of a kind, the sum of its nodes
  double share = 0;  // of the run
  int64_t flops = 0;
  int64_t bytes = 0;
  double gflops = 0;
  double gb_per_s = 0;
  double compute_share = 0;  // of the peaks; above 1 where data came from a cache
  double memory_share = 0;
  bool compute_bound = false;
  double lost_ms = 0;
};

struct NodeProfile {
  PlacedNode node;
  WorkShare work;
};

struct OpProfile {
  std::string op;
  std::string dtype;
  int64_t count = 0;
  WorkShare work;
};

/// A part of a model that has several: "encoder", "decoder".
struct PartProfile {
  std::string part;
  int64_t count = 0;
  WorkShare work;
};

struct Profile {
  Peaks peaks;
  int runs = 0;
  int lanes = 1;
  double run_ms = 0;                  // median, from the first node's begin to the last one's end
  double between_ms = 0;              // of it, when no node ran
  std::vector<NodeProfile> nodes;     // in running order
  std::vector<PartProfile> parts;     // in running order
  std::vector<OpProfile> ops;         // longest first
  std::vector<std::string> wasteful;  // the ten nodes that lose most, in words
};

/// One entry of `runs` per run, each with one time per node.
Profile MakeProfile(std::span<const PlacedNode> nodes, std::span<const std::vector<NodeTime>> runs,
                    const Peaks& peaks);

void WriteJson(const Profile& profile, JsonWriter& json);

}  // namespace vernier
