#include "models/blendmask/detections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "vernier/error.h"

namespace vernier {
namespace {

class Decoder {
 public:
  Decoder(const HeadMaps& maps, int64_t stride, int32_t level, const std::string& picture)
      : maps_(maps), stride_(stride), level_(level), picture_(picture) {}

  Detection Decode(const Candidate& candidate) const {
    const int64_t row = candidate.location / maps_.width, column = candidate.location % maps_.width;
    const auto x = static_cast<float>(column * stride_ + stride_ / 2);
    const auto y = static_cast<float>(row * stride_ + stride_ / 2);
    const BoxCorners box = {x - Distance(0, candidate), y - Distance(1, candidate),
                            x + Distance(2, candidate), y + Distance(3, candidate)};
    if (!std::ranges::all_of(box, [](float side) { return std::isfinite(side); })) {
      RefuseNonFinite(fmt::format("a box that is not finite ([{}, {}, {}, {}], level {})", box[0],
                                  box[1], box[2], box[3], level_),
                      picture_);
    }
    return {.box = box,
            .score = std::sqrt(candidate.both),
            .category = candidate.category,
            .level = level_,
            .location = candidate.location,
            .centre = {x, y}};
  }

 private:
  float Distance(int64_t side, const Candidate& candidate) const {
    const int64_t count = maps_.height * maps_.width;
    return maps_.bbox_reg[static_cast<size_t>(side * count + candidate.location)] *
           static_cast<float>(stride_);
  }

  const HeadMaps& maps_;
  int64_t stride_;
  int32_t level_;
  const std::string& picture_;
};

// `most` and what scores as well as the last of them stay, as below.
std::vector<Detection> Suppressed(const std::vector<Detection>& all, double threshold,
                                  int64_t most) {
  std::vector<BoxCorners> boxes;
  std::vector<float> scores;
  std::vector<int32_t> classes;
  boxes.reserve(all.size()), scores.reserve(all.size()), classes.reserve(all.size());
  for (const Detection& detection : all) {
    boxes.push_back(detection.box);
    scores.push_back(detection.score);
    classes.push_back(detection.category);
  }
  std::vector<Detection> kept;
  for (const int64_t i : SuppressOverlaps({boxes, scores, classes}, threshold, most)) {
    kept.push_back(all[static_cast<size_t>(i)]);
  }
  return kept;
}

// All that score at least as well as the last that fits: equal scores may leave more.
void KeepBest(std::vector<Detection>& detections, int64_t most) {
  if (most <= 0 || std::ssize(detections) <= most) return;
  std::vector<float> scores;
  for (const Detection& detection : detections) scores.push_back(detection.score);
  const auto last = scores.begin() + (most - 1);
  std::ranges::nth_element(scores, last, std::ranges::greater());
  std::erase_if(detections, [least = *last](const Detection& d) { return d.score < least; });
}

}  // namespace

std::vector<Detection> SelectDetections(std::span<const HeadMaps> levels,
                                        const BlendMaskConfig& config, const std::string& picture,
                                        int threads) {
  VN_CHECK(levels.size() == config.levels.size());
  std::vector<Detection> all;
  for (size_t level = 0; level < levels.size(); ++level) {
    const std::vector<Candidate> candidates =
        FindCandidates(levels[level], config, picture, threads);
    const Decoder decoder(levels[level], config.strides[level], static_cast<int32_t>(level),
                          picture);
    all.reserve(all.size() + candidates.size());
    for (const Candidate& candidate : candidates) all.push_back(decoder.Decode(candidate));
  }
  if (config.nms_threshold > 0.0) {
    return Suppressed(all, config.nms_threshold, config.post_nms_top_k);
  }
  KeepBest(all, config.post_nms_top_k);
  return all;
}

}  // namespace vernier
