// Answers of a model that reads pictures among text. Joins rows, caches, the generation loop and
// the tokenizer; checks lengths and memory before anything runs.
#pragma once

#include "pipeline/causal_rows.h"
#include "pipeline/compiled_model.h"
#include "vernier/generation.h"

namespace vernier {

/// New tokens where neither the checkpoint nor the caller says how many: what PaddleX allows a
/// page.
inline constexpr int64_t kDefaultAnswerTokens = 8192;

/// The options with a length: the default ends where the model's context does. Throws Error{kUsage}
/// for options that cannot be had, and where a prompt and its answer together are longer than the
/// context.
GenerationOptions CheckedForContext(const CompiledModel& compiled, const CausalRows& rows,
                                    GenerationOptions options);

/// One answer per row; `features` are the pictures' rows, the request's options checked. Throws
/// Error{kInput} where text is wanted and there is no tokenizer.
GenerationOutput GenerateAnswers(const CompiledModel& compiled, const CausalRows& rows,
                                 const TensorView& features, const GenerationRequest& request);

}  // namespace vernier
