// What a model is run on to be proved: pictures, values fed directly, and for a decoder the ids
// that it reads.
#pragma once

#include <string>
#include <vector>

#include "verify/forced_ids.h"

namespace vernier {

/// Pictures as the model's processor makes them, and what is fed beside or instead of them. A model
/// that reads no headers does not see the questions here.
NamedTensors ReadProofInputs(const CompiledModel& model, const std::vector<std::string>& images,
                             const PictureHeaders& headers, const NamedTensors& fed);

/// The questions that answers begin with: those of a model that does not read them above pictures.
std::vector<std::string> AnswerPrompts(const CompiledModel& model, const PictureHeaders& headers);

/// Adds the model's own answer for a decoder that is fed no ids. A model that chats answers where
/// the request or the checkpoint says in how many tokens.
void AddForcedIds(const CompiledModel& model, const ForcedIdsRequest& request,
                  NamedTensors& inputs);

}  // namespace vernier
