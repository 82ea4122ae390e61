#include "pipeline/text_generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generation/generate.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A token model that times its steps.
class TimedModel final : public TokenModel {
 public:
  TimedModel(TokenModel& model, GenerationSeconds& seconds) : model_(model), seconds_(seconds) {}

  int64_t vocab_size() const override { return model_.vocab_size(); }

  std::span<float> Start(std::span<const std::vector<int32_t>> prompts) override {
    start_ = Clock::now();
    const std::span<float> logits = model_.Start(prompts);
    seconds_.first_token = SecondsSince(start_);
    start_ = Clock::now();
    return logits;
  }

  std::span<float> Step(std::span<const Extension> rows) override {
    const std::span<float> logits = model_.Step(rows);
    // The choice of tokens between steps is part of a token's time.
    const double until_now = SecondsSince(start_);
    seconds_.each_step.push_back(until_now - seconds_.more_tokens);
    seconds_.more_tokens = until_now;
    ++seconds_.steps;
    return logits;
  }

 private:
  TokenModel& model_;
  GenerationSeconds& seconds_;
  Clock::time_point start_;
};

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

// Hands out each row's text as its ids come.
class TextStream {
 public:
  TextStream(const Tokenizer& tokenizer, const GenerationRequest& request,
             std::span<const std::vector<int32_t>> prompts)
      : request_(request) {
    for (size_t row = 0; row < prompts.size(); ++row) {
      streams_.push_back(tokenizer.Stream());
      for (int32_t id : prompts[row]) Push(static_cast<int64_t>(row), id);
    }
  }

  void Push(int64_t row, int32_t token) {
    Send(row, streams_[static_cast<size_t>(row)]->Push(token));
  }

  void Finish() {
    for (size_t row = 0; row < streams_.size(); ++row) {
      Send(static_cast<int64_t>(row), streams_[row]->Finish());
    }
  }

 private:
  void Send(int64_t row, const std::string& piece) {
    if (!piece.empty()) request_.on_text(row, piece);
  }

  const GenerationRequest& request_;
  std::vector<std::unique_ptr<StreamDecoder>> streams_;
};

bool HoldsAny(const std::string& text, std::span<const std::string> stops) {
  return std::ranges::any_of(
      stops, [&](const std::string& stop) { return text.find(stop) != std::string::npos; });
}

const Tokenizer* RequiredTokenizer(const DecoderModel& decoder, const GenerationRequest& request) {
  if (decoder.tokenizer != nullptr) return decoder.tokenizer.get();
  if (request.ids_only && request.options.stop_strings.empty()) return nullptr;
  throw Error(ErrorKind::kInput, "the model folder has no tokenizer, so ids cannot become text",
              "put tokenizer.json or spiece.model beside config.json");
}

int64_t LongestSequence(std::span<const std::vector<int32_t>> prompts,
                        const GenerationOptions& options) {
  int64_t longest = 0;
  for (const std::vector<int32_t>& prompt : prompts) {
    longest = std::max(longest, SequenceLimit(options, static_cast<int64_t>(prompt.size())));
  }
  return longest;
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
  const Tokenizer* tokenizer = RequiredTokenizer(model, request);
  const int64_t pictures = memory.hidden_states.shape[0];
  const std::vector<std::vector<int32_t>> prompts = PromptIds(model, pictures, request);
  CheckOptions(request.options, compiled.programs().decoder->vocab_size());
  GenerationOutput output;
  const Clock::time_point start = Clock::now();
  CachedDecoder decoder(*compiled.programs().decoder,
                        {.pictures = pictures,
                         .patches = memory.hidden_states.shape[1],
                         .sequences = pictures * request.options.num_beams,
                         .tokens = LongestSequence(prompts, request.options)},
                        request.cancel);
  decoder.ReadMemory(memory.hidden_states, memory.patches_of);
  output.seconds.encode = SecondsSince(start);

  GenerationHooks hooks;
  hooks.log_probs = request.log_probs;
  std::optional<TextStream> stream;
  if (request.on_text && tokenizer != nullptr && request.options.num_beams == 1) {
    stream.emplace(*tokenizer, request, prompts);
    hooks.on_token = [&](int64_t row, int32_t token) { stream->Push(row, token); };
  }
  if (!request.options.stop_strings.empty()) {
    hooks.has_stop_string = [&](std::span<const int32_t> ids) {
      return HoldsAny(tokenizer->Decode(ids), request.options.stop_strings);
    };
  }
  TimedModel timed(decoder, output.seconds);
  for (GeneratedSequence& sequence : Generate(timed, prompts, request.options, hooks)) {
    GeneratedText text;
    if (tokenizer != nullptr && !request.ids_only) text.text = tokenizer->Decode(sequence.ids);
    text.token_ids = std::move(sequence.ids);
    text.prompt_tokens = sequence.prompt_tokens;
    text.finish_reason = sequence.finish_reason;
    text.log_probs = std::move(sequence.log_probs);
    text.score = sequence.score;
    output.rows.push_back(std::move(text));
  }
  if (stream) stream->Finish();
  output.cache_bytes = static_cast<int64_t>(decoder.cache_bytes());
  output.arena_bytes = static_cast<int64_t>(decoder.arena_bytes());
  return output;
}

}  // namespace vernier
