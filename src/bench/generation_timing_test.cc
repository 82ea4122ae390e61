#include "bench/generation_timing.h"

#include "io/json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

GenerationSeconds SecondsOf(double encode, double first, std::vector<double> each) {
  GenerationSeconds seconds{.encode = encode, .first_token = first};
  for (double step : each) seconds.more_tokens += step;
  seconds.steps = static_cast<int64_t>(each.size());
  seconds.each_step = std::move(each);
  return seconds;
}

// 100 ms to encode, 20 ms to the first token, then 10 ms each.
TEST(GenerationTiming, CountsEncodingIntoTheFirstToken) {
  const std::vector<GenerationSeconds> runs(5, SecondsOf(0.1, 0.02, {0.01, 0.01, 0.01}));
  const GenerationTiming timing = TimingOf(runs, 2, 4);
  EXPECT_NEAR(timing.first_token_ms.median, 120, 1e-9);
  EXPECT_NEAR(timing.encode_ms.median, 100, 1e-9);
  EXPECT_NEAR(timing.inter_token_ms.median, 10, 1e-9);
  EXPECT_EQ(timing.inter_token_ms.count, 15u);
  EXPECT_NEAR(timing.tokens_per_s, 2 * 4 / 0.150, 1e-9);
  EXPECT_NEAR(timing.decode_tokens_per_s, 200, 1e-9);
}

// One token has no next one; nothing is divided by zero and nothing is made up.
TEST(GenerationTiming, HasNoTimeBetweenTokensOfOne) {
  const std::vector<GenerationSeconds> runs = {SecondsOf(0.1, 0.02, {})};
  const GenerationTiming timing = TimingOf(runs, 1, 1);
  EXPECT_EQ(timing.inter_token_ms.count, 0u);
  EXPECT_EQ(timing.decode_tokens_per_s, 0);
  JsonWriter writer;
  WriteJson(timing, writer);
  const Json json = Json::Parse(writer.Take(), "timing");
  EXPECT_TRUE(json.Get("inter_token").is_null());
  EXPECT_NEAR(json.GetObject("first_token").GetNumber("p99_ms"), 120, 1e-9);
}

TEST(GenerationTiming, RefusesNoRuns) { EXPECT_THROW(TimingOf({}, 1, 1), Error); }

}  // namespace
}  // namespace vernier
