// PaddedRows: taps of a batch whose rows ran one by one, as the reference shows them: one tensor of
// all rows, each behind zeros for its padding. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "graph/graph.h"
#include "runtime/taps.h"
#include "vernier/tensor.h"

namespace vernier {

class PaddedRows final : public TapSink {
 public:
  /// `decoder` is the graph that reads the rows, which are `tokens` long with their padding. It and
  /// `to` must outlive this.
  PaddedRows(TapSink& to, const Graph& decoder, int64_t rows, int64_t tokens)
      : to_(to), decoder_(decoder), rows_(rows), tokens_(tokens) {}

  bool Wants(const ValueInfo& value) const override { return to_.Wants(value); }
  /// Hands on what the decoder does not have (a picture's values) as it comes, and the rows of a
  /// value when its last row is there. What is never whole is left out: a value that some row
  /// lacks, and the shares of pictures that rows read, which are an output of the pictures' own
  /// part.
  void Take(const TapRecord& record, const TensorView& tensor) override;

 private:
  // Where a value's shape counts rows and their tokens.
  struct Axes {
    int sequences = 0;
    int tokens = 0;
  };
  struct Taken {
    Tensor all;
    int64_t rows = 0;
  };

  std::optional<Axes> AxesOf(int value) const;
  Taken Blank(const Axes& axes, const TensorView& row) const;
  void Place(const Axes& axes, const TensorView& row, Taken& taken) const;

  TapSink& to_;
  const Graph& decoder_;
  int64_t rows_;
  int64_t tokens_;
  std::map<std::string, Taken> taken_;  // by name
};

}  // namespace vernier
