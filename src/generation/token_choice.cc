#include "generation/token_choice.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

namespace vernier {
namespace {

constexpr float kBanned = -std::numeric_limits<float>::infinity();

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes all bits.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Uniform in [0, 1), of 53 bits.
double Uniform(uint64_t seed, uint64_t sequence, uint64_t draw) {
  return static_cast<double>(Mix(Mix(Mix(seed) ^ sequence) ^ draw) >> 11) * 0x1p-53;
}

// Bans what scores less than the k-th best; equals of it stay.
void KeepTopK(size_t k, std::span<float> scores) {
  if (k == 0 || k >= scores.size()) return;
  std::vector<float> ordered(scores.begin(), scores.end());
  const auto kth = ordered.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(ordered, kth, std::greater{});
  for (float& score : scores) {
    if (score < *kth) score = kBanned;
  }
}

// Bans the tail whose probabilities together are at most 1 - p; one token always stays.
void KeepTopP(double p, std::span<float> scores) {
  if (p >= 1.0) return;
  std::vector<size_t> rising(scores.size());
  std::iota(rising.begin(), rising.end(), size_t{0});
  std::ranges::stable_sort(rising, {}, [&](size_t i) { return scores[i]; });
  const double total = LogSumExp(scores);
  double below = 0;
  for (size_t i = 0; i + 1 < rising.size(); ++i) {
    below += std::exp(scores[rising[i]] - total);
    if (below > 1.0 - p) return;
    scores[rising[i]] = kBanned;
  }
}

}  // namespace

int32_t BestToken(std::span<const float> scores) {
  size_t best = 0;
  float top = kBanned;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > top) {
      top = scores[i];
      best = i;
    }
  }
  return static_cast<int32_t>(best);
}

double LogSumExp(std::span<const float> scores) {
  float top = kBanned;
  for (float score : scores) top = std::max(top, score);
  if (top == kBanned) return kBanned;
  double sum = 0;
  for (float score : scores) sum += std::exp(score - top);
  return top + std::log(sum);
}

int32_t DrawToken(const GenerationOptions& options, uint64_t sequence, uint64_t draw,
                  std::span<float> scores) {
  if (options.temperature != 1.0) {
    const float factor = static_cast<float>(1.0 / options.temperature);
    for (float& score : scores) score *= factor;
  }
  KeepTopK(static_cast<size_t>(options.top_k), scores);
  KeepTopP(options.top_p, scores);
  const double total = LogSumExp(scores);
  const double wanted = Uniform(options.seed, sequence, draw);
  double below = 0;
  int32_t last = BestToken(scores);
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!(scores[i] > kBanned)) continue;
    last = static_cast<int32_t>(i);
    below += std::exp(scores[i] - total);
    if (wanted < below) break;
  }
  return last;
}

}  // namespace vernier
