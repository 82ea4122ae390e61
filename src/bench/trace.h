// Timelines of runs as Chrome's trace event format (JSON object format, complete events), which
// ui.perfetto.dev and chrome://tracing open. A configuration is a process, a lane is a thread.
#pragma once

#include <string>
#include <vector>

#include "vernier/session.h"

namespace vernier {

struct Timeline {
  std::string name;  // of the configuration
  std::vector<PlacedNode> nodes;
  std::vector<std::vector<NodeTime>> runs;  // one time per node each
};

std::string TraceJson(const std::vector<Timeline>& timelines);

/// "provider:isa:kernel", as manifests and placement tables have it.
std::string KernelName(const PlacedNode& node);

}  // namespace vernier
