// TokenModel: what generation needs of a model: prompts in, one token per row after that, logits
// out. The model owns its caches; generation says which rows live on, and as whose children.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vernier {

/// One row of the next step: the row `parent` of the step before, continued by `token`.
struct Extension {
  int32_t parent;
  int32_t token;
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;

  virtual int64_t vocab_size() const = 0;

  /// Reads the prompts, one row each. Returns logits [prompts, vocab] behind their last tokens,
  /// which the caller may overwrite and which live until the next call.
  virtual std::span<float> Start(std::span<const std::vector<int32_t>> prompts) = 0;

  /// As Start, for rows that each continue a row of the call before; a row may have several
  /// children or none.
  virtual std::span<float> Step(std::span<const Extension> rows) = 0;
};

}  // namespace vernier
