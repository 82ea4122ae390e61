#include "generation/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "vernier/error.h"

namespace vernier {
namespace {

template <typename T>
void RequireAtLeast(std::string_view name, T value, T least) {
  if (value >= least) return;
  throw Error(ErrorKind::kUsage, fmt::format("{} is {}, expected {} or more", name, value, least));
}

void RequirePositive(std::string_view name, double value) {
  if (std::isfinite(value) && value > 0) return;
  throw Error(ErrorKind::kUsage, fmt::format("{} is {}, expected a number above 0", name, value));
}

void RequireTokens(std::string_view name, const std::vector<int32_t>& ids, int64_t vocab_size) {
  for (int32_t id : ids) {
    if (id >= 0 && id < vocab_size) continue;
    throw Error(
        ErrorKind::kInput,
        fmt::format("{} holds {}, but the model's ids are 0 to {}", name, id, vocab_size - 1),
        "mend generation_config.json, or give the option yourself");
  }
}

}  // namespace

void CheckOptions(const GenerationOptions& o, int64_t vocab_size) {
  if (o.max_length) RequireAtLeast<int64_t>("max_length", *o.max_length, 1);
  if (o.max_new_tokens) RequireAtLeast<int64_t>("max_new_tokens", *o.max_new_tokens, 1);
  RequireAtLeast<int64_t>("min_length", o.min_length, 0);
  if (o.min_new_tokens) RequireAtLeast<int64_t>("min_new_tokens", *o.min_new_tokens, 0);
  RequireAtLeast<int64_t>("num_beams", o.num_beams, 1);
  RequireAtLeast<int64_t>("top_k", o.top_k, 0);
  RequireAtLeast<int64_t>("no_repeat_ngram_size", o.no_repeat_ngram_size, 0);
  RequirePositive("temperature", o.temperature);
  RequirePositive("repetition_penalty", o.repetition_penalty);
  if (!(o.top_p > 0 && o.top_p <= 1)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("top_p is {}, expected above 0 and up to 1", o.top_p));
  }
  if (!std::isfinite(o.length_penalty)) {
    throw Error(ErrorKind::kUsage, "length_penalty is not a number");
  }
  if (o.num_beams > kMaxBeams) {
    throw Error(ErrorKind::kUsage,
                fmt::format("num_beams is {}, expected at most {}", o.num_beams, kMaxBeams));
  }
  if (o.num_beams > 1 && o.do_sample) {
    throw Error(ErrorKind::kUsage, "beams are searched, not sampled: num_beams and do_sample",
                "leave one of the two out");
  }
  RequireTokens("eos_token_id", o.eos_token_id, vocab_size);
  RequireTokens("forced_eos_token_id", o.forced_eos_token_id, vocab_size);
  if (o.decoder_start_token_id) {
    RequireTokens("decoder_start_token_id", {*o.decoder_start_token_id}, vocab_size);
  }
  // Tokens to suppress that the model does not have need no suppressing, as in transformers.
  if (std::ranges::any_of(o.stop_strings, [](const std::string& s) { return s.empty(); })) {
    throw Error(ErrorKind::kUsage, "a stop string is empty",
                "every text would end before it began");
  }
}

int64_t SequenceLimit(const GenerationOptions& o, int64_t prompt_tokens) {
  int64_t limit = prompt_tokens;
  if (!o.max_new_tokens && o.max_length) {
    limit = *o.max_length;
  } else {
    limit += std::min(o.max_new_tokens.value_or(kDefaultNewTokens), kMaxSequence);
  }
  if (limit <= prompt_tokens) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("max_length is {}, and the prompt has {} tokens already", limit, prompt_tokens),
        "raise max_length, or give max_new_tokens");
  }
  if (limit > kMaxSequence) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("a sequence of {} tokens was asked for, the most is {}", limit, kMaxSequence),
        "lower max_new_tokens or max_length (--max-new-tokens, --max-length)");
  }
  return limit;
}

}  // namespace vernier
