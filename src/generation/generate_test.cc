#include "generation/generate.h"

#include <algorithm>
#include <cmath>

#include "support/fake_token_model.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using Ids = std::vector<int32_t>;

// 0 starts, 1 ends. From 0 to 2, from 2 to 3, from 3 to the end; 4 goes on to itself.
FakeTokenModel Chain() {
  return FakeTokenModel(
      {{0, 1, 5, 2, 3}, {0, 0, 0, 0, 0}, {0, 1, 2, 5, 3}, {0, 5, 1, 2, 3}, {0, 1, 2, 3, 5}});
}

GenerationOptions Greedy() {
  GenerationOptions options;
  options.eos_token_id = {1};
  options.pad_token_id = 0;
  return options;
}

std::vector<GeneratedSequence> Answers(FakeTokenModel& model, const std::vector<Ids>& prompts,
                                       const GenerationOptions& options,
                                       const GenerationHooks& hooks = {}) {
  return Generate(model, prompts, options, hooks);
}

TEST(Greedy, TakesTheBestTokenUntilTheEnd) {
  FakeTokenModel model = Chain();
  const auto results = Answers(model, {{0}}, Greedy());
  EXPECT_EQ(results[0].ids, (Ids{0, 2, 3, 1}));
  EXPECT_EQ(results[0].finish_reason, FinishReason::kEos);
}

TEST(Greedy, StopsAfterTwentyNewTokensWhereNothingSaysOtherwise) {
  FakeTokenModel model = Chain();
  const auto results = Answers(model, {{4}}, Greedy());
  EXPECT_EQ(results[0].new_ids().size(), 20u);
  EXPECT_EQ(results[0].finish_reason, FinishReason::kLength);
}

TEST(Greedy, CountsThePromptInMaxLengthButNotInMaxNewTokens) {
  FakeTokenModel model = Chain();
  GenerationOptions options = Greedy();
  options.max_length = 6;
  EXPECT_EQ(Answers(model, {{0, 4, 4}}, options)[0].ids.size(), 6u);
  options.max_new_tokens = 2;
  EXPECT_EQ(Answers(model, {{0, 4, 4}}, options)[0].ids.size(), 5u);
}

TEST(Greedy, TakesRowsThatEndedOutOfTheBatch) {
  FakeTokenModel model = Chain();
  GenerationOptions options = Greedy();
  options.max_new_tokens = 5;
  const auto results = Answers(model, {{3}, {4}, {2}}, options);
  EXPECT_EQ(results[0].ids, (Ids{3, 1}));
  EXPECT_EQ(results[1].ids, (Ids{4, 4, 4, 4, 4, 4}));
  EXPECT_EQ(results[2].ids, (Ids{2, 3, 1}));
  EXPECT_EQ(model.row_counts, (std::vector<size_t>{2, 1, 1, 1}));
}

TEST(Greedy, HandsOutEachTokenAsItIsChosen) {
  FakeTokenModel model = Chain();
  Ids streamed;
  GenerationHooks hooks;
  hooks.on_token = [&](int64_t sequence, int32_t token) {
    EXPECT_EQ(sequence, 0);
    streamed.push_back(token);
  };
  Answers(model, {{0}}, Greedy(), hooks);
  EXPECT_EQ(streamed, (Ids{2, 3, 1}));
}

TEST(Greedy, HandsOutTheLogitsBeforeAnyOptionChangesThem) {
  FakeTokenModel model = Chain();
  GenerationOptions options = Greedy();
  options.suppress_tokens = {2};
  options.max_new_tokens = 1;
  std::vector<float> handed;
  GenerationHooks hooks;
  hooks.on_logits = [&](int64_t sequence, std::span<const float> logits) {
    EXPECT_EQ(sequence, 0);
    handed.assign(logits.begin(), logits.end());
  };
  EXPECT_EQ(Answers(model, {{0}}, options, hooks)[0].ids, (Ids{0, 4}));
  EXPECT_EQ(handed, (std::vector<float>{0, 1, 5, 2, 3}));
}

TEST(Greedy, EndsAtAStopString) {
  FakeTokenModel model = Chain();
  GenerationOptions options = Greedy();
  options.stop_strings = {"44"};
  GenerationHooks hooks;
  hooks.has_stop_string = [](std::span<const int32_t> ids) {
    return ids.size() >= 2 && ids[ids.size() - 1] == 4 && ids[ids.size() - 2] == 4;
  };
  const auto results = Answers(model, {{0, 4}}, options, hooks);
  EXPECT_EQ(results[0].ids, (Ids{0, 4, 4, 4}));
  EXPECT_EQ(results[0].finish_reason, FinishReason::kStopString);
}

TEST(Greedy, GivesTheModelsOwnLogProbabilities) {
  FakeTokenModel model = Chain();
  GenerationOptions options = Greedy();
  options.suppress_tokens = {2};  // changes the choice, not the probabilities
  options.max_new_tokens = 1;
  GenerationHooks hooks;
  hooks.log_probs = true;
  const auto results = Answers(model, {{0}}, options, hooks);
  EXPECT_EQ(results[0].ids, (Ids{0, 4}));
  const double total = std::exp(0) + std::exp(1) + std::exp(5) + std::exp(2) + std::exp(3);
  EXPECT_NEAR(results[0].log_probs.at(0), 3 - std::log(total), 1e-6);
}

TEST(Greedy, ForcesTheEndTokenAtTheLimit) {
  FakeTokenModel model = Chain();
  GenerationOptions options = Greedy();
  options.max_new_tokens = 3;
  options.forced_eos_token_id = {1};
  EXPECT_EQ(Answers(model, {{4}}, options)[0].ids, (Ids{4, 4, 4, 1}));
}

TEST(Sampling, RepeatsItselfForASeedWhateverElseIsInTheBatch) {
  GenerationOptions options = Greedy();
  options.do_sample = true;
  options.max_new_tokens = 12;
  options.eos_token_id = {};
  options.seed = 7;
  FakeTokenModel model = Chain();
  const Ids alone = Answers(model, {{0}}, options)[0].ids;
  EXPECT_EQ(Answers(model, {{0}, {4}, {2}}, options)[0].ids, alone);
  options.seed = 8;
  EXPECT_NE(Answers(model, {{0}}, options)[0].ids, alone);
}

TEST(Generate, RefusesAPromptBeyondTheVocabulary) {
  FakeTokenModel model = Chain();
  EXPECT_THROW(Answers(model, {{0, 5}}, Greedy()), Error);
  EXPECT_TRUE(Answers(model, {}, Greedy()).empty());
}

TEST(FillToken, IsTheEndTokenForBeamsWhosePadIsZero) {
  GenerationOptions options = Greedy();
  EXPECT_EQ(FillToken(options), 0);
  options.num_beams = 2;
  EXPECT_EQ(FillToken(options), 1);
  options.pad_token_id = 3;
  EXPECT_EQ(FillToken(options), 3);
}

}  // namespace
}  // namespace vernier
