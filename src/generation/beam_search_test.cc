#include "generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "support/fake_token_model.h"

namespace vernier {
namespace {

using Ids = std::vector<int32_t>;

// Random logits: every token may follow every other.
std::vector<std::vector<float>> RandomTable(int vocab, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> logit(0, 2);
  std::vector<std::vector<float>> table(static_cast<size_t>(vocab));
  for (auto& row : table) {
    for (int i = 0; i < vocab; ++i) row.push_back(logit(random));
  }
  return table;
}

double LogProbability(const std::vector<std::vector<float>>& table, const Ids& ids) {
  double sum = 0;
  for (size_t i = 1; i < ids.size(); ++i) {
    const std::vector<float>& row = table[static_cast<size_t>(ids[i - 1])];
    double total = 0;
    for (float logit : row) total += std::exp(logit);
    sum += row[static_cast<size_t>(ids[i])] - std::log(total);
  }
  return sum;
}

// The best score over all sequences that end with 1 or have `new_tokens`.
double BestByEnumeration(const std::vector<std::vector<float>>& table, Ids ids, size_t new_tokens,
                         double length_penalty) {
  const size_t length = ids.size() - 1;
  if (length > 0 && (ids.back() == 1 || length == new_tokens)) {
    return LogProbability(table, ids) / std::pow(static_cast<double>(length), length_penalty);
  }
  double best = -1e9;
  for (size_t token = 0; token < table.size(); ++token) {
    ids.push_back(static_cast<int32_t>(token));
    best = std::max(best, BestByEnumeration(table, ids, new_tokens, length_penalty));
    ids.pop_back();
  }
  return best;
}

GenerationOptions Beams(int64_t count, int64_t new_tokens) {
  GenerationOptions options;
  options.num_beams = count;
  options.max_new_tokens = new_tokens;
  options.eos_token_id = {1};
  options.early_stopping = EarlyStopping::kNever;
  return options;
}

TEST(BeamSearch, FindsTheBestSequenceWhenNoBeamIsEverDropped) {
  for (unsigned seed = 0; seed < 5; ++seed) {
    const auto table = RandomTable(4, seed);
    FakeTokenModel model(table);
    for (double penalty : {0.5, 1.0, 2.0}) {
      GenerationOptions options = Beams(64, 4);
      options.length_penalty = penalty;
      const auto answers = BeamSearch(model, std::vector<Ids>{{0}}, options, {});
      EXPECT_NEAR(answers[0].score, BestByEnumeration(table, {0}, 4, penalty), 1e-5);
    }
  }
}

TEST(BeamSearch, ScoresWhatItReturns) {
  const auto table = RandomTable(6, 3);
  FakeTokenModel model(table);
  GenerationHooks hooks;
  hooks.log_probs = true;
  const auto answer = BeamSearch(model, std::vector<Ids>{{0, 2}}, Beams(3, 8), hooks)[0];
  const Ids new_part(answer.ids.begin() + 1, answer.ids.end());
  const double sum = LogProbability(table, new_part);
  EXPECT_NEAR(answer.score, sum / static_cast<double>(answer.new_ids().size()), 1e-5);
  double by_token = 0;
  for (float log_prob : answer.log_probs) by_token += log_prob;
  EXPECT_NEAR(by_token, sum, 1e-5);
}

TEST(BeamSearch, GivesEachPromptOfABatchItsOwnAnswer) {
  const auto table = RandomTable(7, 11);
  FakeTokenModel model(table);
  const std::vector<Ids> prompts = {{0}, {3}, {0, 5}};
  const auto together = BeamSearch(model, prompts, Beams(4, 9), {});
  for (size_t i = 0; i < prompts.size(); ++i) {
    FakeTokenModel alone(table);
    EXPECT_EQ(BeamSearch(alone, std::vector<Ids>{prompts[i]}, Beams(4, 9), {})[0].ids,
              together[i].ids);
  }
}

TEST(BeamSearch, StopsEarlyOnlyWhenTold) {
  // The end is always likely, so that finished sequences soon fill up.
  FakeTokenModel eager({{0, 3, 2, 2}, {0, 0, 0, 0}, {0, 3, 2, 2}, {0, 3, 2, 2}});
  GenerationOptions options = Beams(2, 10);
  options.early_stopping = EarlyStopping::kTrue;
  BeamSearch(eager, std::vector<Ids>{{0}}, options, {});
  const size_t early = eager.row_counts.size();
  eager.row_counts.clear();
  options.early_stopping = EarlyStopping::kNever;
  options.length_penalty = 3;
  BeamSearch(eager, std::vector<Ids>{{0}}, options, {});
  EXPECT_LT(early, eager.row_counts.size());
}

TEST(BeamSearch, EndsABeamAtAStopString) {
  FakeTokenModel model(RandomTable(5, 2));
  GenerationOptions options = Beams(2, 10);
  options.eos_token_id = {};
  options.stop_strings = {"anything"};
  GenerationHooks hooks;
  hooks.has_stop_string = [](std::span<const int32_t> ids) { return ids.size() == 3; };
  const auto answer = BeamSearch(model, std::vector<Ids>{{0}}, options, hooks)[0];
  EXPECT_EQ(answer.new_ids().size(), 3u);
  EXPECT_EQ(answer.finish_reason, FinishReason::kStopString);
}

TEST(BeamSearch, AnswersWithWhatItHasWhenEverythingIsBanned) {
  FakeTokenModel model(RandomTable(3, 1));
  GenerationOptions options = Beams(2, 10);
  options.no_repeat_ngram_size = 1;  // after three tokens nothing is left
  options.min_new_tokens = 10;
  const auto answer = BeamSearch(model, std::vector<Ids>{{0}}, options, {})[0];
  EXPECT_EQ(answer.ids, (Ids{0, 2}));
}

}  // namespace
}  // namespace vernier
