// A model for tests whose logits depend on the last token alone, by a table; it
// records how many rows each step had.
#pragma once

#include <utility>
#include <vector>

#include "generation/token_model.h"

namespace vernier {

class FakeTokenModel : public TokenModel {
 public:
  /// `table[last][next]` are the logits.
  explicit FakeTokenModel(std::vector<std::vector<float>> table) : table_(std::move(table)) {}

  int64_t vocab_size() const override { return static_cast<int64_t>(table_.size()); }

  std::span<float> Start(std::span<const std::vector<int32_t>> prompts) override {
    histories_.assign(prompts.begin(), prompts.end());
    return Logits();
  }

  std::span<float> Step(std::span<const Extension> rows) override {
    std::vector<std::vector<int32_t>> next;
    for (const Extension& row : rows) {
      next.push_back(histories_.at(static_cast<size_t>(row.parent)));
      next.back().push_back(row.token);
    }
    histories_ = std::move(next);
    row_counts.push_back(rows.size());
    return Logits();
  }

  /// What each row has read.
  const std::vector<std::vector<int32_t>>& histories() const { return histories_; }

  std::vector<size_t> row_counts;

 private:
  std::span<float> Logits() {
    logits_.clear();
    for (const std::vector<int32_t>& history : histories_) {
      const std::vector<float>& row = table_.at(static_cast<size_t>(history.back()));
      logits_.insert(logits_.end(), row.begin(), row.end());
    }
    return logits_;
  }

  std::vector<std::vector<float>> table_;
  std::vector<std::vector<int32_t>> histories_;
  std::vector<float> logits_;
};

}  // namespace vernier
