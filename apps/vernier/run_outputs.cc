#include "run_outputs.h"

#include <algorithm>

#include "generation/generate.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "pipeline/results.h"

namespace vernier {
namespace {

int64_t WrittenTokens(const GeneratedText& row) {
  return std::ssize(row.token_ids) - row.prompt_tokens;
}

int64_t LongestAnswer(std::span<const GeneratedText> rows) {
  int64_t steps = 0;
  for (const GeneratedText& row : rows) steps = std::max(steps, WrittenTokens(row));
  return steps;
}

}  // namespace

Tensor PaddedIds(std::span<const GeneratedText> rows, const GenerationOptions& options,
                 bool with_prompts) {
  std::vector<std::span<const int32_t>> all;
  size_t longest = 0;
  for (const GeneratedText& row : rows) {
    all.push_back(std::span(row.token_ids)
                      .subspan(with_prompts ? 0 : static_cast<size_t>(row.prompt_tokens)));
    longest = std::max(longest, all.back().size());
  }
  Tensor ids(DType::kI32, {static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)});
  std::ranges::fill(ids.as<int32_t>(), FillToken(options));
  for (size_t row = 0; row < rows.size(); ++row) {
    std::ranges::copy(all[row],
                      ids.as<int32_t>().begin() + static_cast<std::ptrdiff_t>(row * longest));
  }
  return ids;
}

Tensor PaddedLogits(const RowLogits& logits, std::span<const GeneratedText> rows) {
  const int64_t vocabulary = std::ssize(logits[0]) / WrittenTokens(rows[0]);
  Tensor padded = Tensor::Zeros(DType::kF32, {std::ssize(rows), LongestAnswer(rows), vocabulary});
  float* to = padded.as<float>().data();
  for (const std::vector<float>& row : logits) {
    std::ranges::copy(row, to);
    to += LongestAnswer(rows) * vocabulary;
  }
  return padded;
}

Tensor StepLogits(const Tensor& logits, std::span<const GeneratedText> rows) {
  const int64_t tokens = logits.shape()[1], vocabulary = logits.shape()[2];
  // Prompts end together, one place before the first token of the answers.
  const float* from = logits.as<float>().data() + (tokens - LongestAnswer(rows) - 1) * vocabulary;
  RowLogits chose;
  for (const GeneratedText& row : rows) {
    chose.emplace_back(from, from + WrittenTokens(row) * vocabulary);
    from += tokens * vocabulary;
  }
  return PaddedLogits(chose, rows);
}

void WriteOutputs(const std::string& path, std::span<const NamedTensors> batches,
                  const Session& session, const std::string& kind) {
  if (batches.empty()) return;
  NamedTensors joined;
  for (const auto& [name, first] : batches[0]) {
    std::vector<Tensor> parts;
    for (const NamedTensors& outputs : batches) {
      parts.push_back(Tensor::CopyOf(outputs.at(name).view()));
    }
    joined.emplace(name, Stacked(parts));
  }
  const bool embed = kind != "none";
  if (embed) {
    joined.insert_or_assign("embedding", session.Embedding(joined, kind));
  }
  if (path.ends_with(".npy")) {
    WriteNpy(path, embed ? joined.at("embedding").view() : session.Features(joined).view());
    return;
  }
  std::vector<TensorToWrite> tensors;
  for (const auto& [name, tensor] : joined) {
    tensors.push_back({name, tensor.dtype(), tensor.shape()});
  }
  WriteSafetensors(path, std::move(tensors), [&](const TensorToWrite& wanted) {
    return Tensor::CopyOf(joined.at(wanted.name).view());
  });
}

}  // namespace vernier
