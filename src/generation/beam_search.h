// Beam search over all prompts of a batch at once; the prompts' searches are independent of each
// other.
#pragma once

#include <span>
#include <vector>

#include "generation/generate.h"

namespace vernier {

std::vector<GeneratedSequence> BeamSearch(TokenModel& model,
                                          std::span<const std::vector<int32_t>> prompts,
                                          const GenerationOptions& options,
                                          const GenerationHooks& hooks);

}  // namespace vernier
