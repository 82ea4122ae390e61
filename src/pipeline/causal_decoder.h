// CausalDecoder: a language model's programs with the key-value caches of one batch of prompts that
// hold pictures. What generation sees as a TokenModel. Prompts of several lengths are read one
// after the other, so nothing is padded; after that, all rows step together.
//
// The programs' graphs have the inputs of models/paddleocr_vl/model.h. Programs, rows and features
// outlive this object. Used by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generation/token_model.h"
#include "pipeline/causal_programs.h"
#include "pipeline/causal_rows.h"
#include "pipeline/kv_states.h"
#include "pipeline/run_part.h"
#include "runtime/context.h"

namespace vernier {

struct CausalSizes {
  int64_t sequences = 1;  // at a time
  int64_t tokens = 0;     // of the longest sequence
};

class CausalDecoder final : public TokenModel {
 public:
  /// `features` are the pictures' rows of the batch, [picture tokens, hidden]; none where no row
  /// has a picture.
  CausalDecoder(const CausalPrograms& programs, const CausalRows& rows, const TensorView& features,
                const CausalSizes& sizes, const std::atomic<bool>* cancel);

  int64_t vocab_size() const override { return vocab_size_; }
  /// `prompts` are the rows' ids.
  std::span<float> Start(std::span<const std::vector<int32_t>> prompts) override;
  std::span<float> Step(std::span<const Extension> rows) override;

  /// Row `row` all at once, with logits behind every token; `cover` all rows where they are equally
  /// long. The part's views live until the next is asked for.
  RunPart ForcedPart(int64_t row, int64_t cover);

  /// Bytes of all caches.
  size_t cache_bytes() const { return caches_.bytes(); }
  /// Working memory of the runs so far.
  size_t arena_bytes() const;

 private:
  std::shared_ptr<const Plan> BindFor(const Program& program, int64_t sequences, int64_t new_tokens,
                                      int64_t features) const;
  RunPart PromptPart(const Program& with_pictures, const Program& text_only, int64_t row,
                     int64_t cover, int64_t capacity);
  void PrepareStep();

  CausalPrograms programs_;
  const CausalRows& rows_;
  TensorView features_;
  CausalSizes sizes_;
  const std::atomic<bool>* cancel_;
  int64_t vocab_size_;
  Context context_;
  KvStates caches_;
  // Of the part that is prepared.
  std::vector<int32_t> part_ids_, part_positions_;
  Tensor logits_;
  // Of the sequences that are alive: the position of the next token, which is behind the last one's
  // by what its pictures saved.
  std::vector<int32_t> next_position_, former_next_position_;
  std::vector<int32_t> ids_, parents_, positions_;
  Context step_context_;
  std::optional<RepeatedRun> step_;  // one token for each sequence that is alive
  Extents alive_;
};

}  // namespace vernier
