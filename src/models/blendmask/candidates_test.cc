#include "models/blendmask/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include "kernels/cpu/plain_exponential.h"

namespace vernier {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Where thresholds on scores are interesting: the published one, its root, ends, and nearly ends.
constexpr float kLeasts[] = {1e-6F, 0.01F, 0.05F, 0.2236068F, 0.5F, 0.9F, 0.999F, 0.99999F};

std::vector<float> Factors(float least) {
  std::vector<float> factors = {1.0F, 0.99F, 0.7310586F, 0.5F, 0.05F};
  float next = least;
  for (int i = 0; i < 4; ++i) factors.push_back(next = std::nextafter(next, 2.0F));
  return factors;
}

bool Passes(float logit, float factor, float least) { return Sigmoid(logit) * factor > least; }

// Floats on both sides of the least logit that passes.
std::vector<float> NeighboursOfTheStep(float factor, float least) {
  constexpr int kSteps = 2000;
  float low = -100, high = 100;
  while (std::nextafter(low, high) < high) {
    const float middle = low + (high - low) / 2;
    (Passes(middle, factor, least) ? high : low) = middle;
  }
  std::vector<float> floats;
  for (int i = 0; i < kSteps / 2; ++i) high = std::nextafter(high, -kInfinity);
  for (int i = 0; i < kSteps; ++i) floats.push_back(high = std::nextafter(high, kInfinity));
  return floats;
}

TEST(LogitBound, LeavesOutNothingThatPasses) {
  for (const float least : kLeasts) {
    for (const float factor : Factors(least)) {
      SCOPED_TRACE(testing::Message() << least << " by " << factor);
      const float bound = LogitBound(least, factor);
      for (const float logit : NeighboursOfTheStep(factor, least)) {
        if (Passes(logit, factor, least)) {
          EXPECT_GE(logit, bound);
        }
      }
      for (float logit = -100; logit < 100; logit += 0.01F) {
        if (Passes(logit, factor, least)) {
          EXPECT_GE(logit, bound);
        }
      }
    }
  }
}

TEST(LogitBound, LeavesOutNearlyAllThatDoesNotPass) {
  for (const float least : {1e-6F, 0.05F, 0.5F, 0.9F}) {
    const double exact = std::log(least / (1.0 - least));
    EXPECT_LE(LogitBound(least, 1.0F), exact);
    EXPECT_GE(LogitBound(least, 1.0F), exact - 0.062);
  }
  EXPECT_EQ(LogitBound(0.5F, 0.5F), kInfinity);
  EXPECT_EQ(LogitBound(0.0F, 0.5F), -kInfinity);
  EXPECT_EQ(LogitBound(-kInfinity, 0.5F), -kInfinity);
}

// A threshold is passed as it would be by an exact sigmoid, but for floats next to the step.
TEST(Sigmoid, PassesAThresholdWhereAnExactOneDoes) {
  for (const float least : {0.01F, 0.05F, 0.2236068F, 0.5F, 0.9F}) {
    for (const float logit : NeighboursOfTheStep(1.0F, least)) {
      const double exact = 1.0 / (1.0 + std::exp(-static_cast<double>(logit)));
      if (std::abs(exact - least) > 3e-7 * least) {
        EXPECT_EQ(Passes(logit, 1.0F, least), exact > least) << logit;
      }
    }
  }
}

struct RandomLevel {
  BlendMaskConfig config;
  std::vector<float> cls, ctr;

  // Logits around `mean`, in steps of `step` so that some are equal.
  RandomLevel(uint32_t seed, float mean, float deviation, float step) {
    config.classes = 7;
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 1);
    const auto drawn = [&](float from, float by) {
      return step * std::round((from + by * normal(random)) / step);
    };
    for (int64_t i = 0; i < config.classes * kPlaces; ++i) cls.push_back(drawn(mean, deviation));
    for (int64_t i = 0; i < kPlaces; ++i) ctr.push_back(drawn(0.5F, 2 * deviation));
  }

  std::vector<Candidate> Find(int threads = 1) const {
    return FindCandidates({.height = 15, .width = kPlaces / 15, .cls_logits = cls, .ctrness = ctr},
                          config, "street.jpg", threads);
  }

  // The published order of work: all scores, the threshold, a sort.
  std::vector<Candidate> Expected() const {
    std::vector<Candidate> all;
    for (int64_t i = 0; i < kPlaces; ++i) {
      for (int32_t c = 0; c < config.classes; ++c) {
        const float prob = Sigmoid(cls[static_cast<size_t>(c * kPlaces + i)]);
        const float both = prob * Sigmoid(ctr[static_cast<size_t>(i)]);
        const float tested = config.threshold_with_centerness ? both : prob;
        if (tested > config.score_threshold) all.push_back({i, c, both});
      }
    }
    if (config.pre_nms_top_k > 0 && std::ssize(all) > config.pre_nms_top_k) {
      std::ranges::stable_sort(all, std::ranges::greater(), &Candidate::both);
      all.resize(static_cast<size_t>(config.pre_nms_top_k));
    }
    return all;
  }

  static constexpr int64_t kPlaces = 15 * 103;  // no multiple of a block, and some of them
};

TEST(FindCandidates, FindsWhatAScanOfEverythingDoes) {
  struct Drawn {
    float mean, deviation, step;
  };
  // Rare ones; a level full of them; saturated scores, many of them equal; all of them equal.
  for (const Drawn& drawn : {Drawn{-4.6F, 1.0F, 1e-4F}, Drawn{2.0F, 1.0F, 1e-4F},
                             Drawn{0.0F, 20.0F, 1.0F}, Drawn{40.0F, 0.1F, 40.0F}}) {
    for (const bool with_centerness : {false, true}) {
      for (const int64_t most : {int64_t{0}, int64_t{1}, int64_t{20}, int64_t{1000}}) {
        RandomLevel level(3, drawn.mean, drawn.deviation, drawn.step);
        level.config.threshold_with_centerness = with_centerness;
        level.config.pre_nms_top_k = most;
        SCOPED_TRACE(testing::Message() << drawn.mean << ", best " << most);
        const std::vector<Candidate> expected = level.Expected();
        for (const int threads : {1, 3}) {
          const std::vector<Candidate> found = level.Find(threads);
          ASSERT_EQ(found.size(), expected.size());
          for (size_t i = 0; i < found.size(); ++i) {
            ASSERT_EQ(std::tie(found[i].location, found[i].category, found[i].both),
                      std::tie(expected[i].location, expected[i].category, expected[i].both));
          }
        }
      }
    }
  }
}

TEST(FindCandidates, DecidesFloatsNextToTheThresholdAsScoresDo) {
  for (const bool with_centerness : {false, true}) {
    RandomLevel level(5, 0.0F, 1.0F, 1e-4F);
    level.config.threshold_with_centerness = with_centerness;
    level.config.pre_nms_top_k = 0;
    std::ranges::fill(level.ctr, 1.25F);
    const float factor = with_centerness ? Sigmoid(1.25F) : 1.0F;
    const std::vector<float> logits = NeighboursOfTheStep(factor, level.config.score_threshold);
    for (size_t i = 0; i < level.cls.size(); ++i) level.cls[i] = logits[i % logits.size()];
    const std::vector<Candidate> found = level.Find();
    EXPECT_GT(found.size(), level.cls.size() / 3);
    EXPECT_LT(found.size(), level.cls.size() * 2 / 3);
    EXPECT_EQ(found.size(), level.Expected().size());
  }
}

}  // namespace
}  // namespace vernier
