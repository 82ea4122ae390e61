// CachedDecoder: a decoder's programs with the caches of one batch: the pictures' keys and values,
// made once, and those of the sequences, which grow. What generation sees as a TokenModel.
//
// The programs' graphs have inputs decoder_input_ids [sequences, new_tokens] and
// picture_of_sequence [sequences], and the symbols sequences (runtime), new_tokens, cache_capacity,
// pictures, patches and patch_capacity. Programs outlive this object. Used by one thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generation/token_model.h"
#include "pipeline/kv_states.h"
#include "pipeline/run_part.h"
#include "runtime/context.h"
#include "runtime/program.h"

namespace vernier {

/// Three programs over the same packed weights.
struct DecoderPrograms {
  std::shared_ptr<const Program> memory;       // encoder_hidden_states into the pictures' caches
  std::shared_ptr<const Program> every_token;  // logits behind every token
  std::shared_ptr<const Program> last_token;   // logits behind the last token

  int64_t vocab_size() const;
};

struct DecoderSizes {
  int64_t pictures = 1;
  int64_t patches = 0;    // of the largest picture
  int64_t sequences = 1;  // at a time
  int64_t tokens = 0;     // of the longest sequence
};

class CachedDecoder final : public TokenModel {
 public:
  CachedDecoder(const DecoderPrograms& programs, const DecoderSizes& sizes,
                const std::atomic<bool>* cancel);

  /// Fills the pictures' caches from [pictures, patches, hidden], of which the first
  /// `patches_of[p]` rows of picture p count.
  void ReadMemory(const TensorView& hidden_states, std::span<const int64_t> patches_of);

  int64_t vocab_size() const override { return vocab_size_; }
  /// Prompt i is about picture i.
  std::span<float> Start(std::span<const std::vector<int32_t>> prompts) override;
  std::span<float> Step(std::span<const Extension> rows) override;

  /// The same and teacher forcing as runs that somebody else drives, in this order: the pictures'
  /// caches are filled, what they hold of padding is dropped, and `ids` [sequences, tokens] (i32),
  /// row i about picture i, are read at once. The views must live through the runs.
  RunPart MemoryPart(const TensorView& hidden_states);
  void KeepOnly(std::span<const int64_t> patches_of);
  RunPart ForcedPart(const TensorView& ids);

  /// Bytes of all caches.
  size_t cache_bytes() const;
  /// Working memory of the runs so far.
  size_t arena_bytes() const;

 private:
  struct Rows {
    int64_t first;
    int64_t count;
  };
  void Clear(int64_t sequences);
  std::shared_ptr<const Plan> BindFor(const Program& program, int64_t sequences,
                                      int64_t new_tokens) const;
  Tensor Run(const Program& program, const TensorView& ids, Rows rows);
  void PrepareStep();

  DecoderPrograms programs_;
  DecoderSizes sizes_;
  const std::atomic<bool>* cancel_;
  int64_t vocab_size_;
  Context context_;
  KvStates of_pictures_, of_sequences_;
  std::vector<int32_t> picture_of_;  // by sequence
  std::vector<int32_t> ids_, parents_, former_pictures_;
  Tensor logits_;
  Context step_context_;
  std::optional<RepeatedRun> step_;  // one token for each sequence that is alive
  Extents alive_;
};

}  // namespace vernier
