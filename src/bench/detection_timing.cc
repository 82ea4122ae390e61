#include "bench/detection_timing.h"

#include "bench/timing_loop.h"

namespace vernier {
DetectionTiming TimeDetections(Workload& workload, double network_ms) {
  constexpr int kRuns = 20;
  DetectionTiming detection;
  size_t objects = 0, pictures = 0;
  const Timing timing = TimeRepeatedly(
      [&] {
        const std::vector<PictureInstances> found = workload.FindInstances();
        objects = 0, pictures = found.size();
        for (const PictureInstances& picture : found) objects += picture.instances.size();
      },
      {.warm_up = {.least_runs = 2, .until_steady = false}, .runs = kRuns});
  if (timing.samples_ms.empty()) return detection;
  detection.ms = Summarize(timing.samples_ms);
  detection.objects_per_picture = static_cast<double>(objects) / static_cast<double>(pictures);
  detection.share = detection.ms.median / (detection.ms.median + network_ms);
  return detection;
}

void WriteJson(const DetectionTiming& detection, JsonWriter& json) {
  const Summary& s = detection.ms;
  json.BeginObject()
      .Field("objects_per_picture", detection.objects_per_picture)
      .Field("median_ms", s.median)
      .Field("median_low_ms", s.median_interval.low)
      .Field("median_high_ms", s.median_interval.high)
      .Field("min_ms", s.min)
      .Field("max_ms", s.max)
      .Field("share", detection.share)
      .EndObject();
}

}  // namespace vernier
