#include "metrics/instance_matching.h"

#include "metrics/coco_ap.h"

namespace vernier {
namespace {

constexpr double kLeastOverlap = 0.5;

CocoBox BoxOf(const Instance& instance) {
  const auto& box = instance.box;
  return {box[0], box[1], static_cast<double>(box[2]) - box[0],
          static_cast<double>(box[3]) - box[1]};
}

}  // namespace

std::vector<InstancePair> MatchInstances(std::span<const Instance> reference,
                                         std::span<const Instance> candidate) {
  std::vector<InstancePair> pairs;
  std::vector<bool> taken(candidate.size());
  for (size_t r = 0; r < reference.size(); ++r) {
    double most = 0;
    size_t best = 0;
    for (size_t x = 0; x < candidate.size(); ++x) {
      if (taken[x] || candidate[x].category != reference[r].category) continue;
      const double overlap = BoxOverlap(BoxOf(candidate[x]), BoxOf(reference[r]), false);
      if (overlap < kLeastOverlap || overlap <= most) continue;
      most = overlap;
      best = x;
    }
    if (most == 0) continue;
    taken[best] = true;
    pairs.push_back({static_cast<int64_t>(r), static_cast<int64_t>(best)});
  }
  return pairs;
}

}  // namespace vernier
