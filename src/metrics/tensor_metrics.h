// How far a candidate tensor is from its reference: every figure from fp64 sums over fixed blocks,
// so that neither threads nor the size of chunks changes a bit.
//
//   MetricAccumulator metrics({.tolerance = {1e-5, 1e-3}});
//   for (each pair of chunks) metrics.Add(candidate, reference);
//   for (each pair of chunks again) metrics.AddDivergence(candidate, reference);  // for kl only
//   metrics.Finish()
//
// MeasurePair does all of it for two tensors in memory. One thread owns an accumulator; it uses the
// team of core/parallel.h inside.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/cpu/pair_sums.h"
#include "vernier/tensor.h"

namespace vernier {

inline constexpr double kNoFigure = std::numeric_limits<double>::quiet_NaN();

/// Values of one side that are no numbers.
struct NonFiniteCount {
  int64_t nan = 0;
  int64_t inf = 0;

  bool any() const { return nan > 0 || inf > 0; }
};

/// x is the candidate, r the reference; sums run over the pairs of which both are finite, and N is
/// their number. NaN (kNoFigure) where a figure is not defined.
struct TensorMetrics {
  int64_t elements = 0;
  int64_t finite_pairs = 0;
  NonFiniteCount candidate;
  NonFiniteCount reference;
  int64_t equal_infinities = 0;  // pairs of the same infinity, as in two attention masks

  double max_abs = kNoFigure;   // max |x - r|
  int64_t max_abs_at = -1;      // its place, counted row by row; -1 where no pair differs
  double mean_abs = kNoFigure;  // mean |x - r|
  double max_rel = kNoFigure;   // max |x - r| / |r| over |r| > 2.2e-16
  double mean_rel = kNoFigure;  // sum of the same / N
  double sum_rel = kNoFigure;
  double mre = kNoFigure;            // mean |x - r| / (|r| + 1e-3)
  double cosine = kNoFigure;         // <x,r> / |x||r|; both zero: 1; one zero: 0
  double mse = kNoFigure;            // mean (x - r)^2
  double rmse = kNoFigure;           // its root
  double rel_euclidean = kNoFigure;  // |x - r| / |r|
  double kl = kNoFigure;             // of both, made distributions: see kernels/cpu/pair_sums.h
  double psnr_db = kNoFigure;        // 10 log10((max r - min r)^2 / mse); infinite when equal
  double within = kNoFigure;         // share of pairs with |x - r| <= atol + rtol |r|
  double needed_atol = kNoFigure;    // the atol at which all pairs would be within, rtol as it is

  double candidate_mean = kNoFigure;
  double candidate_std = kNoFigure;  // of the population
  double candidate_norm = kNoFigure;
  double reference_mean = kNoFigure;
  double reference_std = kNoFigure;
  double reference_norm = kNoFigure;

  /// Every value is finite, or the same infinity on both sides.
  bool comparable() const { return finite_pairs + equal_infinities == elements; }
};

struct MetricOptions {
  PairTolerance tolerance = {1e-5, 1e-3};
  bool divergence = true;  // kl wants the values a second time
  int threads = 0;         // 0: all that this process may use
};

class MetricAccumulator {
 public:
  /// Values per partial sum. Chunks that are multiples of it (the last may be shorter) give the
  /// same bits as one chunk.
  static constexpr int64_t kBlock = 16384;

  explicit MetricAccumulator(const MetricOptions& options = {});

  /// The next values of both, equally many, of any element type.
  void Add(const TensorView& candidate, const TensorView& reference);
  /// The same chunks once more, after all of them went through Add; for `kl`.
  void AddDivergence(const TensorView& candidate, const TensorView& reference);

  TensorMetrics Finish() const;

 private:
  template <class T>
  void AddValues(const T* candidate, const T* reference, int64_t count);
  template <class T>
  void AddDivergenceOf(const T* candidate, const T* reference, int64_t count);

  MetricOptions options_;
  PairSums sums_;
  DivergenceSums divergence_;
  bool divergence_seen_ = false;
  int64_t elements_ = 0;
  int64_t max_abs_at_ = -1;
  NonFiniteCount candidate_;
  NonFiniteCount reference_;
  int64_t equal_infinities_ = 0;
};

/// Both tensors in memory, of equally many elements.
TensorMetrics MeasurePair(const TensorView& candidate, const TensorView& reference,
                          const MetricOptions& options = {});

}  // namespace vernier
