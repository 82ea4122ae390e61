#include "pipeline/written_text.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

// Hands out each row's text as its ids come.
class TextStream {
 public:
  TextStream(const Tokenizer& tokenizer, const GenerationRequest& request, const WritingJob& job)
      : request_(request) {
    for (size_t row = 0; row < job.prompts.size(); ++row) {
      streams_.push_back(tokenizer.Stream());
      if (!job.prompt_in_text) continue;
      for (int32_t id : job.prompts[row]) Push(static_cast<int64_t>(row), id);
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

}  // namespace

const Tokenizer* RequiredTokenizer(const Tokenizer* tokenizer, const GenerationRequest& request) {
  if (tokenizer != nullptr) return tokenizer;
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

void WriteTexts(const WritingJob& job, const GenerationRequest& request, GenerationOutput& output) {
  GenerationHooks hooks;
  hooks.log_probs = request.log_probs;
  hooks.on_logits = request.on_logits;
  std::optional<TextStream> stream;
  if (request.on_text && job.tokenizer != nullptr && request.options.num_beams == 1) {
    stream.emplace(*job.tokenizer, request, job);
    hooks.on_token = [&](int64_t row, int32_t token) { stream->Push(row, token); };
  }
  if (!request.options.stop_strings.empty()) {
    hooks.has_stop_string = [&](std::span<const int32_t> ids) {
      return HoldsAny(job.tokenizer->Decode(ids), request.options.stop_strings);
    };
  }
  TimedModel timed(*job.model, output.seconds);
  for (GeneratedSequence& sequence : Generate(timed, job.prompts, request.options, hooks)) {
    GeneratedText text;
    if (job.tokenizer != nullptr && !request.ids_only) {
      text.text = job.tokenizer->Decode(job.prompt_in_text ? std::span<const int32_t>(sequence.ids)
                                                           : sequence.new_ids());
    }
    text.token_ids = std::move(sequence.ids);
    text.prompt_tokens = sequence.prompt_tokens;
    text.finish_reason = sequence.finish_reason;
    text.log_probs = std::move(sequence.log_probs);
    text.score = sequence.score;
    output.rows.push_back(std::move(text));
  }
  if (stream) stream->Finish();
}

}  // namespace vernier
