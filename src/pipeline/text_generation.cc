#include "pipeline/text_generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "generation/options.h"
#include "pipeline/written_text.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// The prompts as the decoder reads them: the start token, then the text's ids without an end token,
// which would say that the answer is complete.
std::vector<std::vector<int32_t>> PromptIds(const DecoderModel& decoder, int64_t pictures,
                                            const GenerationRequest& request) {
  const int32_t start =
      request.options.decoder_start_token_id.value_or(request.options.pad_token_id.value_or(0));
  std::vector<std::vector<int32_t>> prompts(static_cast<size_t>(pictures), {start});
  if (request.prompts.empty()) return prompts;
  if (request.prompts.size() != prompts.size()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} prompts for {} pictures", request.prompts.size(), pictures),
                "give one prompt, or one for each picture");
  }
  if (decoder.tokenizer == nullptr) {
    throw Error(ErrorKind::kInput, "a prompt needs a tokenizer, and the model folder has none",
                "put tokenizer.json or spiece.model beside config.json");
  }
  for (size_t row = 0; row < prompts.size(); ++row) {
    const std::vector<int32_t> ids =
        decoder.tokenizer->Encode(request.prompts[row], {.add_special_tokens = false});
    const size_t skipped = !ids.empty() && ids.front() == start ? 1 : 0;
    prompts[row].insert(prompts[row].end(), ids.begin() + static_cast<std::ptrdiff_t>(skipped),
                        ids.end());
  }
  return prompts;
}

}  // namespace

std::vector<int64_t> PatchesOf(const TensorView& mask) {
  std::vector<int64_t> counts;
  const std::span<const float> values = mask.as<float>();
  const auto patches = static_cast<size_t>(mask.shape[1]);
  for (size_t first = 0; first < values.size(); first += patches) {
    const std::span<const float> row = values.subspan(first, patches);
    const auto end = std::ranges::find(row, 0.0f);
    if (std::any_of(end, row.end(), [](float value) { return value != 0.0f; })) {
      throw Error(ErrorKind::kInput,
                  fmt::format("attention_mask row {} has a patch after padding", first / patches),
                  "patches stand first, padding behind them");
    }
    counts.push_back(end - row.begin());
  }
  return counts;
}

GenerationOutput GenerateText(const CompiledModel& compiled, const PictureMemory& memory,
                              const GenerationRequest& request) {
  const DecoderModel& model = *compiled.model().decoder;
  const Tokenizer* tokenizer = RequiredTokenizer(model.tokenizer.get(), request);
  const int64_t pictures = memory.hidden_states.shape[0];
  const std::vector<std::vector<int32_t>> prompts = PromptIds(model, pictures, request);
  CheckOptions(request.options, compiled.programs().decoder->vocab_size());
  GenerationOutput output;
  const auto start = std::chrono::steady_clock::now();
  CachedDecoder decoder(*compiled.programs().decoder,
                        {.pictures = pictures,
                         .patches = memory.hidden_states.shape[1],
                         .sequences = pictures * request.options.num_beams,
                         .tokens = LongestSequence(prompts, request.options)},
                        request.cancel);
  decoder.ReadMemory(memory.hidden_states, memory.patches_of);
  const std::chrono::duration<double> read = std::chrono::steady_clock::now() - start;
  output.seconds.encode = read.count();

  WriteTexts({.model = &decoder, .tokenizer = tokenizer, .prompts = prompts}, request, output);
  output.cache_bytes = static_cast<int64_t>(decoder.cache_bytes());
  output.arena_bytes = static_cast<int64_t>(decoder.arena_bytes());
  return output;
}

}  // namespace vernier
