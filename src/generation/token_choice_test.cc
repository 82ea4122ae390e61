#include "generation/token_choice.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace vernier {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(BestToken, IsTheLowestOfEquals) {
  EXPECT_EQ(BestToken(std::vector<float>{1, 3, 2, 3}), 1);
  EXPECT_EQ(BestToken(std::vector<float>{kNan, -2, kNan, -1}), 3);
  EXPECT_EQ(BestToken(std::vector<float>{-kInfinity, kNan}), 0);
}

TEST(LogSumExp, NeitherOverflowsNorCountsWhatIsBanned) {
  EXPECT_NEAR(LogSumExp(std::vector<float>{1000, 1000, -kInfinity}), 1000 + std::log(2.0), 1e-9);
  EXPECT_EQ(LogSumExp(std::vector<float>{-kInfinity}), -kInfinity);
}

// How often each token is drawn in 20000 draws.
std::array<double, 4> Shares(const GenerationOptions& options, const std::array<float, 4>& scores) {
  std::array<double, 4> shares{};
  constexpr int kDraws = 20000;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::array<float, 4> copy = scores;
    const int32_t token = DrawToken(options, 0, static_cast<uint64_t>(draw), copy);
    shares[static_cast<size_t>(token)] += 1.0 / kDraws;
  }
  return shares;
}

// Probabilities 0.1, 0.2, 0.3, 0.4; a share's deviation is below sqrt(0.25 / 20000) = 0.0035.
const std::array<float, 4> kScores = {std::log(0.1f), std::log(0.2f), std::log(0.3f),
                                      std::log(0.4f)};
constexpr double kFourDeviations = 0.014;

TEST(DrawToken, DrawsByProbability) {
  const auto shares = Shares({}, kScores);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(shares[i], 0.1 * static_cast<double>(i + 1), kFourDeviations);
  }
}

TEST(DrawToken, SharpensAtLowTemperature) {
  GenerationOptions options;
  options.temperature = 0.5;  // squares the probabilities: 1, 4, 9, 16 of 30
  const auto shares = Shares(options, kScores);
  EXPECT_NEAR(shares[3], 16.0 / 30, kFourDeviations);
  EXPECT_NEAR(shares[0], 1.0 / 30, kFourDeviations);
}

TEST(DrawToken, KeepsTheTopKAndTheirEquals) {
  GenerationOptions options;
  options.top_k = 2;
  const auto shares = Shares(options, kScores);
  EXPECT_EQ(shares[0] + shares[1], 0);
  EXPECT_NEAR(shares[3], 4.0 / 7, kFourDeviations);
  EXPECT_GT(Shares(options, {0, 0, 0, 0})[0], 0);
}

TEST(DrawToken, KeepsTheFewestThatReachTopP) {
  GenerationOptions options;
  options.top_p = 0.65;  // 0.4 and 0.3 reach it
  const auto shares = Shares(options, kScores);
  EXPECT_EQ(shares[0] + shares[1], 0);
  EXPECT_NEAR(shares[2], 3.0 / 7, kFourDeviations);
  options.top_p = 1e-9;
  EXPECT_NEAR(Shares(options, kScores)[3], 1, 1e-9);
}

}  // namespace
}  // namespace vernier
