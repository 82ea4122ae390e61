// Rows of scores (logits) compared as decisions: which class is best, which five are.
#pragma once

#include <cstdint>

#include "metrics/tensor_metrics.h"
#include "vernier/tensor.h"

namespace vernier {

/// Rows of scores (logits) compared as decisions.
struct RowMetrics {
  int64_t rows = 0;         // rows compared; those with a NaN on a side are not
  int64_t classes = 0;      // scores in a row
  double top1 = kNoFigure;  // share of rows with the same best class (the first on ties)
  double top5 = kNoFigure;  // mean share of the reference's 5 best that are among the candidate's
  /// Rows that disagree although the reference's two best are closer than twice the row's largest
  /// error: a tie that rounding decides.
  int64_t tie_like_flips = 0;
  double min_cosine = kNoFigure;  // over rows
};

/// The last axis holds the scores; both tensors have the same shape.
RowMetrics MeasureRows(const TensorView& candidate, const TensorView& reference);

}  // namespace vernier
