// What `vernier run` writes beside its report: the ids of answers as a tensor, and outputs to
// files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vernier/session.h"

namespace vernier {

/// One row of ids each, filled up as transformers pads them; without prompts, what was written.
Tensor PaddedIds(std::span<const GeneratedText> rows, const GenerationOptions& options,
                 bool with_prompts);

/// Of each row the logits that its answer's tokens were chosen from, one step behind the other.
using RowLogits = std::vector<std::vector<float>>;

/// These as [rows, steps, vocabulary], zeros behind the end of a row's answer.
Tensor PaddedLogits(const RowLogits& logits, std::span<const GeneratedText> rows);

/// The rows of `logits` [rows, tokens, vocabulary], of prompts and answers, that chose the answers'
/// tokens, in the same form.
Tensor StepLogits(const Tensor& logits, std::span<const GeneratedText> rows);

/// All batches' outputs as one: the embeddings (the features for kind "none") to a .npy, all
/// outputs to a .safetensors file.
void WriteOutputs(const std::string& path, std::span<const NamedTensors> batches,
                  const Session& session, const std::string& embedding);

}  // namespace vernier
