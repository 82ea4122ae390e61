// The ids that a decoder is fed with where none are given: what the model itself answers, chosen
// greedily, so that a comparison looks at the tokens that a user would see. For a model that chats
// they follow the prompts.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/compiled_model.h"

namespace vernier {

struct ForcedIdsRequest {
  std::vector<std::string> prompts = {};  // that answers begin with: none, one, or one for each row
  int64_t max_new_tokens = 0;             // 0: as many as the checkpoint says
  const std::atomic<bool>* cancel = nullptr;
};

struct ForcedIds {
  Tensor ids;           // [rows, tokens] (i32), start token first, last token left out
  bool filled = false;  // rows that ended early were filled up
};

/// `encoded` is what the encoder made of `inputs`.
ForcedIds GreedyIds(const CompiledModel& model, const NamedTensors& inputs,
                    const NamedTensors& encoded, const ForcedIdsRequest& request);

/// The same where the encoder has not run yet. A model that chats answers in as many tokens as are
/// asked for, and an answer of one token gives no ids.
ForcedIds GreedyIds(const CompiledModel& model, const NamedTensors& inputs,
                    const ForcedIdsRequest& request);

}  // namespace vernier
