#include "run_answers.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "core/interrupt.h"
#include "run_outputs.h"

namespace vernier {
namespace {

constexpr const char* kStepLogits = "step_logits";

}  // namespace

GenerationRequest AnswerWriter::RequestFor(const RunBatch& batch) const {
  GenerationRequest request;
  request.options = Changed(*session_.generation_options(), options_.generation);
  // run's own flags of these names serve sampling as well.
  if (options_.top_k > 0) request.options.top_k = options_.top_k;
  if (options_.seed > 0) request.options.seed = static_cast<uint64_t>(options_.seed);
  request.prompts = batch.prompts;
  request.log_probs = options_.log_probs;
  request.cancel = &InterruptFlag();
  return request;
}

// Whether an answer is shown while it is written: one alone on a terminal, and the pages of a
// conversation wherever they go, as they may take minutes.
bool AnswerWriter::Streams(const RunBatch& batch, const GenerationRequest& request) const {
  if (!text() || request.options.num_beams > 1) return false;
  if (chats()) return batch.rows.size() == 1;
  return report_.one_picture && terminal_.output_is_terminal();
}

NamedTensors AnswerWriter::Write(RunBatch& batch, const RunHooks* taps) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  GenerationRequest request = RequestFor(batch);
  const bool streams = Streams(batch, request);
  if (streams) {
    terminal_.ClearProgress();
    if (chats()) terminal_.Write(HeadingOf(batch.rows[0], report_));
    request.on_text = [&](int64_t, std::string_view piece) {
      terminal_.Write(ShownText(piece));
      terminal_.Flush();
    };
  }
  RowLogits chose;
  if (taps != nullptr && chats() && request.options.num_beams == 1 &&
      taps->wants(kStepLogits, {})) {
    chose.resize(batch.rows.size());
    request.on_logits = [&](int64_t row, std::span<const float> logits) {
      std::vector<float>& all = chose[static_cast<size_t>(row)];
      all.insert(all.end(), logits.begin(), logits.end());
    };
  }
  GenerationOutput output = session_.Generate(batch.inputs, request);
  if (streams) {
    terminal_.Write("\n");
    terminal_.Flush();  // what is said on standard error begins its own line
  }
  report_.run_s += std::chrono::duration<double>(Clock::now() - start).count();
  report_.beams = request.options.num_beams > 1;
  Add(output.seconds);
  NamedTensors outputs;
  if (taps != nullptr) outputs = ReadAgain(batch, output, request.options, chose, *taps);
  for (size_t row = 0; row < output.rows.size(); ++row) {
    PictureResult& result = batch.rows[row];
    result.answer = std::move(output.rows[row]);
    WarnOfLength(result, request.options);
    if (text() && !streams) PrintResult(result, report_, terminal_);
    report_.results.push_back(std::move(result));
  }
  return outputs;
}

// A model that chats is looked at while it reads the prompt, as the reference's forward pass has
// it; what chose each token of the answer is added as step_logits.
NamedTensors AnswerWriter::ReadAgain(const RunBatch& batch, const GenerationOutput& output,
                                     const GenerationOptions& options, const RowLogits& chose,
                                     const RunHooks& taps) {
  const auto answers_behind = [&](const Tensor& written) {
    NamedTensors inputs;
    for (const auto& [name, tensor] : batch.inputs) {
      inputs.emplace(name, Tensor::CopyOf(tensor.view()));
    }
    inputs.emplace("decoder_input_ids", Tensor::CopyOf(written.view()));
    return inputs;
  };
  Tensor written = PaddedIds(output.rows, options, !chats());
  NamedTensors outputs =
      chats() ? session_.Run(batch.inputs, taps) : session_.Run(answers_behind(written), taps);
  if (chats() && taps.wants(kStepLogits, {})) {
    // Beams change places while they are written, so the best is read once more.
    outputs.emplace(
        kStepLogits,
        chose.empty()
            ? StepLogits(
                  session_.Run(answers_behind(written), {.cancel = taps.cancel}).at("logits"),
                  output.rows)
            : PaddedLogits(chose, output.rows));
  }
  outputs.emplace("generated_ids", std::move(written));
  return outputs;
}

void AnswerWriter::Add(const GenerationSeconds& seconds) {
  report_.generation.encode += seconds.encode;
  report_.generation.first_token += seconds.first_token;
  report_.generation.more_tokens += seconds.more_tokens;
  report_.generation.steps += seconds.steps;
}

void AnswerWriter::WarnOfLength(const PictureResult& result, const GenerationOptions& options) {
  const GeneratedText& answer = *result.answer;
  const bool said = options.max_new_tokens || options.max_length || length_warned_;
  if (said || answer.finish_reason != FinishReason::kLength) return;
  if (chats()) {
    terminal_.Warn(
        fmt::format("{}: the answer was cut off after {} tokens (--max-new-tokens "
                    "allows more, within the model's context)",
                    result.image, std::ssize(answer.token_ids) - answer.prompt_tokens));
    return;
  }
  length_warned_ = true;
  terminal_.Warn(
      "an answer was cut off after 20 tokens, the default where generation_config.json and "
      "--max-new-tokens say nothing");
}

}  // namespace vernier
