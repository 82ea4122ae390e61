#include "generation/logits_processors.h"

#include <algorithm>
#include <limits>

namespace vernier {
namespace {

constexpr float kBanned = -std::numeric_limits<float>::infinity();

void Ban(std::span<float> scores, std::span<const int32_t> ids) {
  for (int32_t id : ids) {
    if (id >= 0 && static_cast<size_t>(id) < scores.size())
      scores[static_cast<size_t>(id)] = kBanned;
  }
}

void PenaliseRepetition(std::span<const int32_t> ids, float penalty, std::span<float> scores) {
  std::vector<int32_t> seen(ids.begin(), ids.end());
  std::ranges::sort(seen);
  seen.erase(std::ranges::unique(seen).begin(), seen.end());
  for (int32_t id : seen) {
    float& score = scores[static_cast<size_t>(id)];
    score = score < 0 ? score * penalty : score / penalty;
  }
}

// Bans what followed every earlier occurrence of the last n - 1 tokens.
void BanRepeatedNgrams(std::span<const int32_t> ids, size_t n, std::span<float> scores) {
  if (ids.size() + 1 < n) return;
  const auto tail = ids.last(n - 1);
  for (size_t start = 0; start + n <= ids.size(); ++start) {
    if (std::ranges::equal(ids.subspan(start, n - 1), tail)) {
      Ban(scores, ids.subspan(start + n - 1, 1));
    }
  }
}

void ForceOneOf(std::span<const int32_t> ids, std::span<float> scores) {
  std::ranges::fill(scores, kBanned);
  for (int32_t id : ids) scores[static_cast<size_t>(id)] = 0.0f;
}

}  // namespace

void LogitsProcessors::Apply(const SequenceSoFar& sequence, std::span<float> scores) const {
  const auto length = static_cast<int64_t>(sequence.ids.size());
  const int64_t generated = length - sequence.prompt_tokens;
  if (options_.repetition_penalty != 1.0) {
    PenaliseRepetition(sequence.ids, static_cast<float>(options_.repetition_penalty), scores);
  }
  if (options_.no_repeat_ngram_size > 0) {
    BanRepeatedNgrams(sequence.ids, static_cast<size_t>(options_.no_repeat_ngram_size), scores);
  }
  if (length < options_.min_length || generated < options_.min_new_tokens.value_or(0)) {
    Ban(scores, options_.eos_token_id);
  }
  if (!options_.forced_eos_token_id.empty() && length + 1 == sequence.limit) {
    ForceOneOf(options_.forced_eos_token_id, scores);
  }
  Ban(scores, options_.suppress_tokens);
  if (generated == 0) Ban(scores, options_.begin_suppress_tokens);
}

}  // namespace vernier
