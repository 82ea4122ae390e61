// Samples through a model. What a sample cannot give (its picture is missing, its output is not
// finite) is an error in its record, and the others go on; what ends a run (no memory, no device)
// is thrown.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "eval/record.h"
#include "vernier/session.h"

namespace vernier {

/// One record per sample, in order: error, or answer and what belongs to it. The rest of the record
/// is its caller's.
using AnswerSamples = std::function<std::vector<Record>(std::span<const Sample> samples)>;

/// Labels, best first. `session` must outlive what is returned, here and below.
AnswerSamples ClassifyWith(Session& session);

/// Embeddings of pictures, and of their partners where they have one; `kind` as in
/// Session::Embedding.
AnswerSamples EmbedWith(Session& session, std::string_view kind);

/// Objects; the answer is what DetectionsText makes of them. Throws Error{kUsage} for a model that
/// finds none.
AnswerSamples DetectWith(Session& session);

/// Texts. A model that reads its question above the picture finds it there; for others the question
/// is what the answer begins with, and the record leaves it out again. A model that chats is asked
/// the question about the picture, or to read it where there is none. Throws Error{kUsage} for a
/// model that does not write.
AnswerSamples WriteWith(Session& session, const GenerationOptions& options);

}  // namespace vernier
