#include "generation/generate.h"

#include <algorithm>

#include "core/check.h"
#include "generation/beam_search.h"
#include "generation/logits_processors.h"
#include "generation/token_choice.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Greedy search or sampling: every prompt is one row, and rows that have ended leave the batch.
class OneRowEach {
 public:
  OneRowEach(TokenModel& model, std::span<const std::vector<int32_t>> prompts,
             const GenerationOptions& options, const GenerationHooks& hooks)
      : model_(model), options_(options), hooks_(hooks), processors_(options) {
    for (const std::vector<int32_t>& prompt : prompts) {
      GeneratedSequence sequence;
      sequence.ids = prompt;
      sequence.prompt_tokens = static_cast<int64_t>(prompt.size());
      limits_.push_back(SequenceLimit(options, sequence.prompt_tokens));
      sequence.ids.reserve(static_cast<size_t>(limits_.back()));
      sequences_.push_back(std::move(sequence));
    }
  }

  std::vector<GeneratedSequence> Run(std::span<const std::vector<int32_t>> prompts) {
    std::span<float> logits = model_.Start(prompts);
    std::vector<size_t> alive(sequences_.size());
    for (size_t i = 0; i < alive.size(); ++i) alive[i] = i;
    const auto vocab = static_cast<size_t>(model_.vocab_size());
    std::vector<Extension> rows;
    std::vector<size_t> next;
    while (true) {
      rows.clear();
      next.clear();
      for (size_t row = 0; row < alive.size(); ++row) {
        const int32_t token = Choose(alive[row], logits.subspan(row * vocab, vocab));
        if (Append(alive[row], token)) continue;
        rows.push_back({.parent = static_cast<int32_t>(row), .token = token});
        next.push_back(alive[row]);
      }
      if (rows.empty()) return std::move(sequences_);
      alive.swap(next);
      logits = model_.Step(rows);
    }
  }

 private:
  int32_t Choose(size_t index, std::span<float> scores) {
    GeneratedSequence& sequence = sequences_[index];
    if (hooks_.on_logits) hooks_.on_logits(static_cast<int64_t>(index), scores);
    // The penalties change the scores in place, so the model's own are kept first.
    if (hooks_.log_probs) original_.assign(scores.begin(), scores.end());
    processors_.Apply(
        {.ids = sequence.ids, .prompt_tokens = sequence.prompt_tokens, .limit = limits_[index]},
        scores);
    const int32_t token = options_.do_sample
                              ? DrawToken(options_, index, sequence.new_ids().size(), scores)
                              : BestToken(scores);
    if (hooks_.log_probs) {
      const double log_prob = original_[static_cast<size_t>(token)] - LogSumExp(original_);
      sequence.log_probs.push_back(static_cast<float>(log_prob));
    }
    return token;
  }

  // Whether the sequence ends with this token.
  bool Append(size_t index, int32_t token) {
    GeneratedSequence& sequence = sequences_[index];
    sequence.ids.push_back(token);
    if (hooks_.on_token) hooks_.on_token(static_cast<int64_t>(index), token);
    if (std::ranges::count(options_.eos_token_id, token) > 0) {
      sequence.finish_reason = FinishReason::kEos;
      return true;
    }
    if (!options_.stop_strings.empty() && hooks_.has_stop_string(sequence.new_ids())) {
      sequence.finish_reason = FinishReason::kStopString;
      return true;
    }
    return static_cast<int64_t>(sequence.ids.size()) >= limits_[index];
  }

  TokenModel& model_;
  const GenerationOptions& options_;
  const GenerationHooks& hooks_;
  LogitsProcessors processors_;
  std::vector<GeneratedSequence> sequences_;
  std::vector<int64_t> limits_;
  std::vector<float> original_;
};

void CheckPrompts(std::span<const std::vector<int32_t>> prompts, int64_t vocab_size) {
  for (const std::vector<int32_t>& prompt : prompts) {
    VN_CHECK(!prompt.empty(), "a prompt holds at least the start token");
    for (int32_t id : prompt) {
      if (id >= 0 && id < vocab_size) continue;
      throw Error(ErrorKind::kInput,
                  "the prompt holds token " + std::to_string(id) + ", but the model knows 0 to " +
                      std::to_string(vocab_size - 1),
                  "the tokenizer belongs to another model");
    }
  }
}

}  // namespace

const char* Name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEos:
      return "eos";
    case FinishReason::kStopString:
      return "stop_string";
    case FinishReason::kLength:
      break;
  }
  return "length";
}

std::vector<GeneratedSequence> Generate(TokenModel& model,
                                        std::span<const std::vector<int32_t>> prompts,
                                        const GenerationOptions& options,
                                        const GenerationHooks& hooks) {
  CheckOptions(options, model.vocab_size());
  CheckPrompts(prompts, model.vocab_size());
  VN_CHECK(options.stop_strings.empty() || hooks.has_stop_string, "stop strings need their test");
  if (prompts.empty()) return {};
  if (options.num_beams > 1) return BeamSearch(model, prompts, options, hooks);
  return OneRowEach(model, prompts, options, hooks).Run(prompts);
}

int32_t FillToken(const GenerationOptions& options) {
  const int32_t pad = options.pad_token_id.value_or(0);
  const bool unset = !options.pad_token_id || (options.num_beams > 1 && pad == 0);
  return unset && !options.eos_token_id.empty() ? options.eos_token_id.front() : pad;
}

}  // namespace vernier
