// CausalRun: a run of a model that reads pictures among text as its programs in their order: the
// pictures, where there are any, then every row of tokens with logits behind each. What ModelRun is
// made of for such models. Model, programs and inputs must outlive it. One thread.
#pragma once

#include <optional>

#include "pipeline/causal_decoder.h"
#include "pipeline/causal_rows.h"
#include "pipeline/compiled_model.h"

namespace vernier {

class CausalRun {
 public:
  /// Throws Error{kInput} for inputs that are missing or do not fit together. Where they hold
  /// decoder_input_ids [rows, tokens], those follow each row's prompt (teacher forcing).
  CausalRun(const CompiledModel& model, const ModelPrograms& programs, const NamedTensors& inputs);

  const CausalRows& rows() const { return rows_; }
  bool has_pictures() const { return has_pictures_; }

  /// The part to begin with, and what follows one that gave `outputs`; nothing after the last. A
  /// part lives until the next one is asked for.
  RunPart First();
  std::optional<RunPart> Next(NamedTensors outputs);

  /// What came of it: picture_features, and logits [rows, tokens, vocabulary] with zeros at
  /// padding.
  NamedTensors TakeOutputs() { return std::move(outputs_); }
  size_t cache_bytes() const { return decoder_ ? decoder_->cache_bytes() : 0; }

 private:
  RunPart PicturesPart() const;
  RunPart RowsPart();
  void Keep(Tensor logits);

  const CompiledModel& model_;
  const ModelPrograms& programs_;
  const NamedTensors& inputs_;
  CausalRows rows_;
  bool has_pictures_;
  Tensor grids_;
  int64_t next_row_ = 0;  // to be read
  int64_t cover_ = 0;     // rows of the part that is running; 0: it is that of the pictures
  NamedTensors outputs_;
  std::optional<CausalDecoder> decoder_;
};

}  // namespace vernier
