#include "eval/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "core/interrupt.h"
#include "eval/objects.h"
#include "models/paddleocr_vl/prompt.h"
#include "pipeline/results.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int64_t kRankedLabels = 5;

bool IsSampleError(const Error& error) {
  return error.kind() == ErrorKind::kInput || error.kind() == ErrorKind::kUsage;
}

PictureHeaders HeadersOf(const Session& session, const Sample& sample) {
  PictureHeaders headers;
  if (session.info().reads_headers) headers.questions = {sample.prompt};
  return headers;
}

void AddWarnings(const Pictures& pictures, Record& record) {
  for (const PictureInfo& info : pictures.info) {
    record.warnings.insert(record.warnings.end(), info.warnings.begin(), info.warnings.end());
  }
}

// The pictures of samples as one batch; those that cannot be read are left out and say so.
class PictureBatch {
 public:
  PictureBatch(const Session& session, std::span<const Sample> samples,
               std::string Sample::*picture, std::vector<Record>& records) {
    std::vector<Pictures> parts;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (records[i].failed()) continue;
      try {
        parts.push_back(session.ReadImages({samples[i].*picture}, HeadersOf(session, samples[i])));
        AddWarnings(parts.back(), records[i]);
        rows_.push_back(i);
      } catch (const Error& error) {
        if (!IsSampleError(error)) throw;
        records[i].error = error.message();
      }
    }
    if (!parts.empty()) pictures_ = session.JoinPictures(std::move(parts));
  }

  bool empty() const { return rows_.empty(); }
  const NamedTensors& inputs() const { return pictures_.inputs; }
  std::span<const PictureInfo> info() const { return pictures_.info; }
  /// The sample of each row.
  std::span<const size_t> rows() const { return rows_; }

 private:
  std::vector<size_t> rows_;
  Pictures pictures_;
};

RunHooks StoppedByInterrupt() { return {.cancel = &InterruptFlag()}; }

// The row when all of it is finite; else the record says that it is not.
std::optional<std::span<const float>> FiniteRow(const Tensor& tensor, size_t row, Record& record) {
  const std::span<const float> values = Row(tensor, static_cast<int64_t>(row)).as<float>();
  if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return values;
  record.error = "the model's output holds NaN or infinity";
  return std::nullopt;
}

void Embed(Session& session, std::string_view kind, std::span<const Sample> samples,
           std::string Sample::*picture, std::vector<float> Record::*embedding,
           std::vector<Record>& records) {
  const PictureBatch batch(session, samples, picture, records);
  if (batch.empty()) return;
  const Tensor embeddings =
      session.Embedding(session.Run(batch.inputs(), StoppedByInterrupt()), kind);
  for (size_t row = 0; row < batch.rows().size(); ++row) {
    Record& record = records[batch.rows()[row]];
    const auto values = FiniteRow(embeddings, row, record);
    if (values) (record.*embedding).assign(values->begin(), values->end());
  }
}

// What was written behind the prompt; the text of a sequence holds both.
std::string BehindPrompt(const std::string& text, const std::string& prompt) {
  if (!text.starts_with(prompt)) return text;
  const size_t start = text.find_first_not_of(' ', prompt.size());
  return start == std::string::npos ? "" : text.substr(start);
}

void TakeText(const GeneratedText& text, Record& record) {
  record.answer = text.text;
  record.tokens = std::ssize(text.token_ids) - text.prompt_tokens;
  record.figures.emplace_back("cut_off", text.finish_reason == FinishReason::kLength ? 1 : 0);
}

// What a sample asks of a model that chats: its question, or to read the picture.
ChatPrompt PromptOf(const Sample& sample) {
  const std::string text = sample.prompt.empty() ? TaskPrompt("ocr") : sample.prompt;
  return {.turns = {{.pictures = {{.file = sample.image}}, .text = text}}};
}

AnswerSamples ChatWith(Session& session, const GenerationOptions& options) {
  return [&session, options](std::span<const Sample> samples) {
    std::vector<Record> records(samples.size());
    std::vector<ChatPrompt> prompts;
    std::vector<size_t> rows;  // the sample of each prompt
    Pictures pictures;
    for (size_t i = 0; i < samples.size(); ++i) {
      try {
        pictures = session.ReadChats({PromptOf(samples[i])});
        AddWarnings(pictures, records[i]);
        prompts.push_back(PromptOf(samples[i]));
        rows.push_back(i);
      } catch (const Error& error) {
        if (!IsSampleError(error)) throw;
        records[i].error = error.message();
      }
    }
    if (rows.empty()) return records;
    if (samples.size() > 1) pictures = session.ReadChats(prompts);
    const GenerationOutput output =
        session.Generate(pictures.inputs, {.options = options, .cancel = &InterruptFlag()});
    for (size_t row = 0; row < rows.size(); ++row) TakeText(output.rows[row], records[rows[row]]);
    return records;
  };
}

}  // namespace

AnswerSamples ClassifyWith(Session& session) {
  return [&session](std::span<const Sample> samples) {
    std::vector<Record> records(samples.size());
    const PictureBatch batch(session, samples, &Sample::image, records);
    if (batch.empty()) return records;
    const NamedTensors outputs = session.Run(batch.inputs(), StoppedByInterrupt());
    for (size_t row = 0; row < batch.rows().size(); ++row) {
      Record& record = records[batch.rows()[row]];
      const auto logits = FiniteRow(outputs.at("logits"), row, record);
      if (!logits) continue;
      const std::vector<LabelScore> best = TopLabels(*logits, session.info().labels, kRankedLabels);
      for (const LabelScore& label : best) record.ranked.push_back(label.label);
      record.answer = best[0].label;
      record.figures.emplace_back("probability", best[0].probability);
    }
    return records;
  };
}

AnswerSamples EmbedWith(Session& session, std::string_view kind) {
  return [&session, kind = std::string(kind)](std::span<const Sample> samples) {
    std::vector<Record> records(samples.size());
    Embed(session, kind, samples, &Sample::image, &Record::embedding, records);
    if (!samples.empty() && !samples[0].partner.empty()) {
      Embed(session, kind, samples, &Sample::partner, &Record::partner_embedding, records);
    }
    return records;
  };
}

AnswerSamples DetectWith(Session& session) {
  if (session.info().classes == 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("a {} model does not find objects", session.info().family),
                "give a set of labels or pairs, or a model that detects");
  }
  return [&session](std::span<const Sample> samples) {
    std::vector<Record> records(samples.size());
    const PictureBatch batch(session, samples, &Sample::image, records);
    if (batch.empty()) return records;
    const NamedTensors outputs = session.Run(batch.inputs(), StoppedByInterrupt());
    const std::vector<PictureInstances> found = session.FindInstances(outputs, batch.info());
    for (size_t row = 0; row < batch.rows().size(); ++row) {
      Record& record = records[batch.rows()[row]];
      record.answer = DetectionsText(found[row].instances);
      record.figures.emplace_back("objects", static_cast<double>(found[row].instances.size()));
    }
    return records;
  };
}

AnswerSamples WriteWith(Session& session, const GenerationOptions& options) {
  if (session.generation_options() == nullptr) {
    throw Error(ErrorKind::kUsage,
                fmt::format("a {} model does not answer in text", session.info().family),
                "give a set of labels or pairs, or a model that writes");
  }
  if (session.info().chats) return ChatWith(session, options);
  return [&session, options](std::span<const Sample> samples) {
    std::vector<Record> records(samples.size());
    const PictureBatch batch(session, samples, &Sample::image, records);
    if (batch.empty()) return records;
    GenerationRequest request{.options = options, .cancel = &InterruptFlag()};
    const bool prompts = !session.info().reads_headers;
    for (size_t sample : batch.rows()) {
      if (prompts) request.prompts.push_back(samples[sample].prompt);
    }
    const GenerationOutput output = session.Generate(batch.inputs(), request);
    for (size_t row = 0; row < batch.rows().size(); ++row) {
      const GeneratedText& text = output.rows[row];
      Record& record = records[batch.rows()[row]];
      TakeText(text, record);
      if (prompts) record.answer = BehindPrompt(text.text, request.prompts[row]);
    }
    return records;
  };
}

}  // namespace vernier
