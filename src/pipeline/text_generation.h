// Text from a compiled model: pictures' hidden states in, answers out. Joins the caches, the
// generation loop and the tokenizer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/compiled_model.h"
#include "vernier/generation.h"
#include "vernier/tensor.h"

namespace vernier {

/// What the encoder made of a batch.
struct PictureMemory {
  TensorView hidden_states;             // [pictures, patches, hidden]
  std::span<const int64_t> patches_of;  // rows of each picture that count; they stand first
};

/// The input that says which patches of a picture count.
inline constexpr const char* kPatchMask = "attention_mask";

/// Counts the ones of each row of a mask [pictures, patches] (f32). Throws Error{kInput} where a
/// one follows a zero.
std::vector<int64_t> PatchesOf(const TensorView& mask);

/// Throws Error{kUsage} for options or prompts that cannot be had, Error{kInput} where text is
/// wanted and there is no tokenizer.
GenerationOutput GenerateText(const CompiledModel& compiled, const PictureMemory& memory,
                              const GenerationRequest& request);

}  // namespace vernier
