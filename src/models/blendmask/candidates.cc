#include "models/blendmask/candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/parallel.h"
#include "kernels/cpu/plain_exponential.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// At most the natural logarithm of `x`, and at least that less 0.06: a float's bits, read as a
// number, are its power of two and a straight line to the next one, which a logarithm arches over.
float LogarithmBelow(float x) {
  constexpr float kStep = 1.0F / (1 << 23), kBias = 127.0F, kLog2 = 0.693147181F;
  return (static_cast<float>(std::bit_cast<int32_t>(x)) * kStep - kBias) * kLog2;
}

bool IsEarlier(const Candidate& a, const Candidate& b) {
  return std::tie(a.location, a.category) < std::tie(b.location, b.category);
}

bool IsBetter(const Candidate& a, const Candidate& b) {
  return a.both != b.both ? a.both > b.both : IsEarlier(a, b);
}

struct Found {
  std::vector<Candidate> candidates;  // in no order
  bool cut = false;                   // some did not fit
  std::string not_a_number;           // the first score that is none; empty: all are numbers

  // The last of those that are left.
  const Candidate& KeepBest(int64_t most) {
    const auto last = candidates.begin() + (most - 1);
    std::ranges::nth_element(candidates, last, IsBetter);
    candidates.resize(static_cast<size_t>(most));
    cut = true;
    return candidates.back();
  }
};

// Scans locations of one level in blocks: within a block a class at a time, so that comparisons
// vectorise. Once there are more candidates than are wanted, only better ones than the last of the
// best so far are looked at: where every place is a candidate, few are ever written down.
class LevelScan {
 public:
  LevelScan(const HeadMaps& maps, const BlendMaskConfig& config)
      : maps_(maps),
        config_(config),
        count_(maps.height * maps.width),
        most_(config.pre_nms_top_k) {}

  Found Run(int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kBlock) {
      // Between blocks, so that what comes later among equals also lies later.
      if (most_ > 0 && std::ssize(found_.candidates) > 2 * most_) {
        floor_ = found_.KeepBest(most_).both;
      }
      const int64_t size = std::min(kBlock, end - first);
      SetBounds(first, size);
      for (int64_t c = 0; c < config_.classes; ++c) ScanClass(c, first, size);
    }
    return std::move(found_);
  }

  static constexpr int64_t kBlock = 512;  // of one class: half a page, which memory reads ahead in

 private:
  void SetBounds(int64_t first, int64_t size) {
    const float* ctrness = maps_.ctrness.data() + first;
    bool is_nan = false;
    for (int64_t i = 0; i < size; ++i) {
      const float ctr = Sigmoid(ctrness[i]);
      is_nan |= std::isnan(ctr);
      ctr_[static_cast<size_t>(i)] = ctr;
    }
    if (is_nan) Report("NaN as centre-ness");
    if (config_.threshold_with_centerness) {
      BoundLogits(std::max(config_.score_threshold, floor_), -kInfinity, size);
    } else {
      BoundLogits(floor_, LogitBound(config_.score_threshold, 1.0F), size);
    }
  }

  void BoundLogits(float least, float bound, int64_t size) {
    for (size_t i = 0; i < static_cast<size_t>(size); ++i) {
      bounds_[i] = std::max(bound, LogitBound(least, ctr_[i]));
    }
  }

  // NaN is not below a bound either, and is found out by its test.
  void ScanClass(int64_t category, int64_t first, int64_t size) {
    const float* logits = maps_.cls_logits.data() + category * count_ + first;
    int32_t any = 0;
    for (int64_t i = 0; i < size; ++i) {
      any |= static_cast<int32_t>(!(logits[i] < bounds_[static_cast<size_t>(i)]));
    }
    if (any == 0) return;
    for (int64_t i = 0; i < size; ++i) {
      if (logits[i] < bounds_[static_cast<size_t>(i)]) continue;
      Test(first + i, static_cast<int32_t>(category), logits[i], ctr_[static_cast<size_t>(i)]);
    }
  }

  void Test(int64_t location, int32_t category, float logit, float ctr) {
    const float prob = Sigmoid(logit);
    const float both = prob * ctr;
    if (std::isnan(both)) Report(fmt::format("NaN as score of class {}", category));
    const float tested = config_.threshold_with_centerness ? both : prob;
    if (tested > config_.score_threshold && both > floor_) {
      found_.candidates.push_back({location, category, both});
    }
  }

  void Report(const std::string& what) {
    if (found_.not_a_number.empty()) found_.not_a_number = what;
  }

  const HeadMaps& maps_;
  const BlendMaskConfig& config_;
  int64_t count_;
  int64_t most_;
  float floor_ = -kInfinity;  // candidates must be better, since so many as good came before
  std::array<float, kBlock> ctr_{};
  std::array<float, kBlock> bounds_{};
  Found found_;
};

}  // namespace

float LogitBound(float least, float factor) {
  // Rounding moves a probability p by a few parts of 2^24, and its logit by as much over 1 - p:
  // less than the slack while p is below the sigmoid of the cap, which is where that stops.
  constexpr float kSlack = 1e-3F, kCap = 6.0F;
  // Below it no logarithm is needed to know that nothing can be left out.
  constexpr float kAlmostNothing = 1e-30F;
  // With p the probability that is just enough, p / (1 - p).
  const float odds = least / (factor - least);
  const float bound = std::min(LogarithmBelow(odds) - kSlack, kCap);
  const float passable = least < kAlmostNothing ? -kInfinity : bound;
  return factor > least ? passable : kInfinity;  // a product with at most 1 is at most the factor
}

std::vector<Candidate> FindCandidates(const HeadMaps& maps, const BlendMaskConfig& config,
                                      const std::string& picture, int threads) {
  const int64_t places = maps.height * maps.width, most = config.pre_nms_top_k;
  const int64_t blocks = (places + LevelScan::kBlock - 1) / LevelScan::kBlock;
  std::vector<Found> parts(static_cast<size_t>(blocks));  // at the first block of each thread's
  ParallelFor(threads, blocks, 1, [&](int64_t begin, int64_t end) {
    parts[static_cast<size_t>(begin)] =
        LevelScan(maps, config)
            .Run(begin * LevelScan::kBlock, std::min(end * LevelScan::kBlock, places));
  });
  Found found;
  for (const Found& part : parts) {
    if (!part.not_a_number.empty()) RefuseNonFinite(part.not_a_number, picture);
    found.cut |= part.cut;
    found.candidates.insert(found.candidates.end(), part.candidates.begin(), part.candidates.end());
  }
  if (most > 0 && std::ssize(found.candidates) > most) found.KeepBest(most);
  std::ranges::sort(found.candidates, found.cut ? IsBetter : IsEarlier);
  return std::move(found.candidates);
}

void RefuseNonFinite(const std::string& what, const std::string& picture) {
  throw Error(ErrorKind::kInput, fmt::format("{}: the model gives {}", picture, what),
              "the checkpoint is damaged, or its values overflow at this precision: try "
              "--dtype f32, and `vernier inspect` for NaN in the weights");
}

}  // namespace vernier
