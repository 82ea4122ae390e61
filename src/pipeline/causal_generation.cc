#include "pipeline/causal_generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "generation/options.h"
#include "pipeline/causal_decoder.h"
#include "pipeline/written_text.h"
#include "vernier/error.h"

namespace vernier {

GenerationOptions CheckedForContext(const CompiledModel& compiled, const CausalRows& rows,
                                    GenerationOptions options) {
  CheckOptions(options, compiled.programs().causal->vocab_size());
  const int64_t context_tokens = compiled.model().info.context_tokens;
  int64_t longest = 0;
  for (const CausalRow& row : rows.rows) longest = std::max(longest, std::ssize(row.ids));
  const bool said = options.max_new_tokens || options.max_length;
  if (!said) {
    const int64_t room = std::max<int64_t>(context_tokens - longest, 1);
    options.max_new_tokens = std::min(kDefaultAnswerTokens, room);
  }
  const int64_t whole = SequenceLimit(options, longest);
  if (whole <= context_tokens) return options;
  throw Error(
      ErrorKind::kUsage,
      fmt::format(
          "the prompt has {} tokens and the answer up to {}, together more than the model's "
          "context of {} (max_position_embeddings)",
          longest, whole - longest, context_tokens),
      longest < context_tokens
          ? fmt::format("ask for --max-new-tokens {} or fewer", context_tokens - longest)
          : std::string("give fewer or smaller pictures (--max-pixels), or less text"));
}

GenerationOutput GenerateAnswers(const CompiledModel& compiled, const CausalRows& rows,
                                 const TensorView& features, const GenerationRequest& request) {
  const Tokenizer* tokenizer = RequiredTokenizer(compiled.model().causal->tokenizer.get(), request);
  if (!request.prompts.empty()) {
    throw Error(ErrorKind::kUsage, "a model that chats is not told how its answers begin",
                "put the text into the conversation");
  }
  std::vector<std::vector<int32_t>> prompts;
  for (const CausalRow& row : rows.rows) prompts.push_back(row.ids);
  GenerationOutput output;
  CausalDecoder decoder(*compiled.programs().causal, rows, features,
                        {.sequences = std::ssize(prompts) * request.options.num_beams,
                         .tokens = LongestSequence(prompts, request.options)},
                        request.cancel);
  WriteTexts(
      {.model = &decoder, .tokenizer = tokenizer, .prompts = prompts, .prompt_in_text = false},
      request, output);
  output.cache_bytes = static_cast<int64_t>(decoder.cache_bytes());
  output.arena_bytes = static_cast<int64_t>(decoder.arena_bytes());
  return output;
}

}  // namespace vernier
