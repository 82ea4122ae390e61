#include "models/blendmask/detections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "models/blendmask/exponential.h"
#include "vernier/error.h"

namespace vernier {
namespace {

struct Candidate {
  int64_t location;
  int32_t category;
  float both;  // class probability times centre-ness
};

[[noreturn]] void RefuseNonFinite(const std::string& what, const std::string& picture) {
  throw Error(ErrorKind::kInput, fmt::format("{}: the model gives {}", picture, what),
              "the checkpoint is damaged, or its values overflow at this precision: try "
              "--dtype f32, and `vernier inspect` for NaN in the weights");
}

// Logits below it cannot pass the threshold, whatever rounding does; so few sigmoids are computed.
float LogitBound(float threshold, float ctr) {
  constexpr double kSlack = 1e-3;
  constexpr double kNearlyOne = 8.0;  // from here on rounding decides what a probability is
  const double needed = static_cast<double>(threshold) / ctr;
  if (needed > 1.0 + kSlack) return std::numeric_limits<float>::infinity();
  if (needed >= 1.0) return static_cast<float>(kNearlyOne);
  if (needed <= 0.0) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(std::min(std::log(needed / (1.0 - needed)) - kSlack, kNearlyOne));
}

// Scans one level in blocks of locations: a class at a time, so that the comparison vectorises, but
// candidates in the published order, class after class at every location.
class LevelScan {
 public:
  LevelScan(const HeadMaps& maps, const BlendMaskConfig& config, const std::string& picture)
      : maps_(maps),
        config_(config),
        picture_(picture),
        count_(maps.height * maps.width),
        hits_(static_cast<size_t>(config.classes * kBlock)) {}

  std::vector<Candidate> Run() {
    for (int64_t first = 0; first < count_; first += kBlock) {
      const int64_t size = std::min(kBlock, count_ - first);
      SetBounds(first, size);
      if (MarkHits(first, size)) TakeHits(first, size);
    }
    return std::move(candidates_);
  }

 private:
  static constexpr int64_t kBlock = 128;

  void SetBounds(int64_t first, int64_t size) {
    for (int64_t i = 0; i < size; ++i) {
      const float ctr = Sigmoid(maps_.ctrness[static_cast<size_t>(first + i)]);
      if (std::isnan(ctr)) RefuseNonFinite("NaN as centre-ness", picture_);
      ctr_[static_cast<size_t>(i)] = ctr;
      bounds_[static_cast<size_t>(i)] =
          LogitBound(config_.score_threshold, config_.threshold_with_centerness ? ctr : 1.0F);
    }
  }

  // NaN is a hit, to be found out.
  bool MarkHits(int64_t first, int64_t size) {
    uint8_t any = 0;
    for (int64_t c = 0; c < config_.classes; ++c) {
      const float* logits = maps_.cls_logits.data() + c * count_ + first;
      uint8_t* hits = hits_.data() + c * kBlock;
      for (int64_t i = 0; i < size; ++i) {
        hits[i] = static_cast<uint8_t>(!(logits[i] < bounds_[static_cast<size_t>(i)]));
        any |= hits[i];
      }
    }
    return any != 0;
  }

  void TakeHits(int64_t first, int64_t size) {
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t c = 0; c < config_.classes; ++c) {
        if (hits_[static_cast<size_t>(c * kBlock + i)] != 0) Test(first + i, i, c);
      }
    }
  }

  void Test(int64_t location, int64_t in_block, int64_t category) {
    const float prob = Sigmoid(maps_.cls_logits[static_cast<size_t>(category * count_ + location)]);
    const float both = prob * ctr_[static_cast<size_t>(in_block)];
    if (std::isnan(both))
      RefuseNonFinite(fmt::format("NaN as score of class {}", category), picture_);
    const float tested = config_.threshold_with_centerness ? both : prob;
    if (tested > config_.score_threshold) {
      candidates_.push_back({location, static_cast<int32_t>(category), both});
    }
  }

  const HeadMaps& maps_;
  const BlendMaskConfig& config_;
  const std::string& picture_;
  int64_t count_;
  std::array<float, kBlock> ctr_{};
  std::array<float, kBlock> bounds_{};
  std::vector<uint8_t> hits_;  // [classes, kBlock]
  std::vector<Candidate> candidates_;
};

// Candidates come in order of place, which stable sorting keeps among equals.
void KeepBest(std::vector<Candidate>& candidates, int64_t most) {
  if (most <= 0 || std::ssize(candidates) <= most) return;
  std::ranges::stable_sort(candidates, std::ranges::greater(), &Candidate::both);
  candidates.resize(static_cast<size_t>(most));
}

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

std::vector<Detection> Suppressed(const std::vector<Detection>& all, double threshold) {
  if (threshold <= 0.0) return all;
  std::vector<BoxCorners> boxes;
  std::vector<float> scores;
  std::vector<int32_t> classes;
  for (const Detection& detection : all) {
    boxes.push_back(detection.box);
    scores.push_back(detection.score);
    classes.push_back(detection.category);
  }
  std::vector<Detection> kept;
  for (const int64_t i : SuppressOverlaps({boxes, scores, classes}, threshold)) {
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
                                        const BlendMaskConfig& config, const std::string& picture) {
  VN_CHECK(levels.size() == config.levels.size());
  std::vector<Detection> all;
  for (size_t level = 0; level < levels.size(); ++level) {
    std::vector<Candidate> candidates = LevelScan(levels[level], config, picture).Run();
    KeepBest(candidates, config.pre_nms_top_k);
    const Decoder decoder(levels[level], config.strides[level], static_cast<int32_t>(level),
                          picture);
    for (const Candidate& candidate : candidates) all.push_back(decoder.Decode(candidate));
  }
  std::vector<Detection> kept = Suppressed(all, config.nms_threshold);
  KeepBest(kept, config.post_nms_top_k);
  return kept;
}

}  // namespace vernier
