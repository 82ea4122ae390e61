#include "generation/logits_processors.h"

#include <cmath>

namespace vernier {
namespace {

std::vector<float> Processed(const GenerationOptions& options, const std::vector<int32_t>& ids,
                             std::vector<float> scores, int64_t prompt_tokens = 1,
                             int64_t limit = 100) {
  LogitsProcessors(options).Apply({.ids = ids, .prompt_tokens = prompt_tokens, .limit = limit},
                                  scores);
  return scores;
}

std::vector<int> BannedIn(const std::vector<float>& scores) {
  std::vector<int> banned;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (std::isinf(scores[i])) banned.push_back(static_cast<int>(i));
  }
  return banned;
}

TEST(LogitsProcessors, PenaliseEachTokenOnceTheStartTokenIncluded) {
  GenerationOptions options;
  options.repetition_penalty = 2;
  EXPECT_EQ(Processed(options, {0, 2, 2}, {4, 4, -4, -4}), (std::vector<float>{2, 4, -8, -4}));
}

TEST(LogitsProcessors, BanWhatWouldRepeatAnNgram) {
  GenerationOptions options;
  options.no_repeat_ngram_size = 2;
  EXPECT_EQ(BannedIn(Processed(options, {0, 2, 3, 2, 1, 2}, {0, 0, 0, 0})),
            (std::vector<int>{1, 3}));
  options.no_repeat_ngram_size = 1;
  EXPECT_EQ(BannedIn(Processed(options, {0, 2}, {0, 0, 0, 0})), (std::vector<int>{0, 2}));
  options.no_repeat_ngram_size = 5;
  EXPECT_TRUE(BannedIn(Processed(options, {0, 2}, {0, 0, 0, 0})).empty());
}

TEST(LogitsProcessors, HoldTheEndTokenBackUntilTheLeastLength) {
  GenerationOptions options;
  options.eos_token_id = {1};
  options.min_length = 3;
  EXPECT_EQ(BannedIn(Processed(options, {0, 2}, {0, 0, 0})), (std::vector<int>{1}));
  EXPECT_TRUE(BannedIn(Processed(options, {0, 2, 2}, {0, 0, 0})).empty());
  options.min_length = 0;
  options.min_new_tokens = 2;  // does not count the prompt of two
  EXPECT_EQ(BannedIn(Processed(options, {0, 2, 2}, {0, 0, 0}, 2)), (std::vector<int>{1}));
}

TEST(LogitsProcessors, SuppressTokensAndIgnoreThoseTheModelLacks) {
  GenerationOptions options;
  options.suppress_tokens = {2, 99, -1};
  options.begin_suppress_tokens = {0};
  EXPECT_EQ(BannedIn(Processed(options, {0}, {0, 0, 0})), (std::vector<int>{0, 2}));
  EXPECT_EQ(BannedIn(Processed(options, {0, 1}, {0, 0, 0})), (std::vector<int>{2}));
}

TEST(LogitsProcessors, LeaveNothingButTheForcedEndAtTheLimit) {
  GenerationOptions options;
  options.forced_eos_token_id = {1};
  EXPECT_EQ(BannedIn(Processed(options, {0, 2}, {5, 0, 5}, 1, 3)), (std::vector<int>{0, 2}));
  EXPECT_TRUE(BannedIn(Processed(options, {0, 2}, {5, 0, 5}, 1, 4)).empty());
}

}  // namespace
}  // namespace vernier
