// What finding the objects takes, once a detector's network has run.
#pragma once

#include "bench/statistics.h"
#include "bench/workload.h"
#include "core/json_writer.h"

namespace vernier {

struct DetectionTiming {
  Summary ms;  // of all pictures of one run
  double objects_per_picture = 0;
  double share = 0;  // of network and this together, by medians
};

/// Of the workload's last run, whose network took `network_ms`.
DetectionTiming TimeDetections(Workload& workload, double network_ms);

void WriteJson(const DetectionTiming& detection, JsonWriter& json);

}  // namespace vernier
