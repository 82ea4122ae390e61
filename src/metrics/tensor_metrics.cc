#include "metrics/tensor_metrics.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/cpu_features.h"
#include "core/float_types.h"
#include "core/parallel.h"
#include "core/rounding.h"

namespace vernier {
namespace {

PairSums SumsOf(const float* candidate, const float* reference, int64_t count,
                const PairTolerance& tolerance) {
  return SelectPairKernels(Cpu().best()).sums(candidate, reference, count, tolerance);
}

PairSums SumsOf(const double* candidate, const double* reference, int64_t count,
                const PairTolerance& tolerance) {
  return scalar::SumPairs(candidate, reference, count, tolerance);
}

DivergenceSums DivergenceOf(const float* candidate, const float* reference, int64_t count,
                            const PairRanges& ranges, bool all_finite) {
  const Isa isa = all_finite ? Cpu().best() : Isa::kScalar;
  return SelectPairKernels(isa).divergence(candidate, reference, count, ranges);
}

DivergenceSums DivergenceOf(const double* candidate, const double* reference, int64_t count,
                            const PairRanges& ranges, bool /*all_finite*/) {
  return scalar::SumDivergence(candidate, reference, count, ranges);
}

template <class T>
void CountNonFinite(const T* values, int64_t count, NonFiniteCount& counts) {
  for (int64_t i = 0; i < count; ++i) {
    counts.nan += std::isnan(values[i]) ? 1 : 0;
    counts.inf += std::isinf(values[i]) ? 1 : 0;
  }
}

/// The first place of the largest difference.
template <class T>
int64_t PlaceOfMaximum(const T* candidate, const T* reference, int64_t count, double maximum) {
  for (int64_t i = 0; i < count; ++i) {
    const double error =
        std::abs(static_cast<double>(candidate[i]) - static_cast<double>(reference[i]));
    if (error == maximum) return i;
  }
  CheckFailed("a block holds its own maximum", __FILE__, __LINE__, "");
}

template <class From>
void Widen(const TensorView& view, std::vector<double>& out) {
  const auto values = view.as<From>();
  out.assign(values.begin(), values.end());
}

/// The elements as doubles, exactly (64-bit integers beyond 2^53 are rounded).
std::vector<double> ToDoubles(const TensorView& view) {
  std::vector<double> out;
  switch (view.dtype) {
    case DType::kF64:
      Widen<double>(view, out);
      break;
    case DType::kI64:
      Widen<int64_t>(view, out);
      break;
    case DType::kU64:
      Widen<uint64_t>(view, out);
      break;
    case DType::kI32:
      Widen<int32_t>(view, out);
      break;
    case DType::kU32:
      Widen<uint32_t>(view, out);
      break;
    default: {
      const Tensor floats = ToFloat32(view);
      Widen<float>(floats.view(), out);
    }
  }
  return out;
}

/// Types that do not fit into an fp32 are summed as doubles.
bool NeedsDoubles(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kI64:
    case DType::kU64:
    case DType::kI32:
    case DType::kU32:
      return true;
    default:
      return false;
  }
}

struct Floats {
  explicit Floats(const TensorView& view) {
    if (view.dtype == DType::kF32) {
      data = static_cast<const float*>(view.data);
    } else {
      converted = ToFloat32(view);
      data = converted.as<float>().data();
    }
  }
  Tensor converted;
  const float* data = nullptr;
};

/// Calls `use` with the elements of both as floats, or as doubles where a type needs it.
template <class Use>
void WithValues(const TensorView& candidate, const TensorView& reference, const Use& use) {
  if (NeedsDoubles(candidate.dtype) || NeedsDoubles(reference.dtype)) {
    const std::vector<double> x = ToDoubles(candidate);
    const std::vector<double> r = ToDoubles(reference);
    use(x.data(), r.data());
  } else {
    const Floats x(candidate);
    const Floats r(reference);
    use(x.data, r.data);
  }
}

double Scale(double min, double max) { return max > min ? 1 / (max - min) : 1; }

/// A tensor of one value keeps it, as msaccucmp does.
PairRanges RangesOf(const PairSums& sums) {
  const auto base = [](double min, double max) { return max > min ? min : 0; };
  return {.candidate_min = base(sums.candidate_min, sums.candidate_max),
          .candidate_scale = Scale(sums.candidate_min, sums.candidate_max),
          .reference_min = base(sums.reference_min, sums.reference_max),
          .reference_scale = Scale(sums.reference_min, sums.reference_max)};
}

double CosineOf(const PairSums& sums) {
  const double candidate = std::sqrt(sums.candidate_squares);
  const double reference = std::sqrt(sums.reference_squares);
  if (candidate == 0 && reference == 0) return 1;
  if (candidate == 0 || reference == 0) return 0;
  return std::clamp(sums.dot / (candidate * reference), -1.0, 1.0);
}

double KlOf(const DivergenceSums& sums) {
  // sum p log(p / q) with p = u / U and q = v / V.
  const double kl = sums.weighted_log / sums.candidate - std::log(sums.candidate / sums.reference);
  return std::abs(kl) < kLeastRelativeReference ? 0 : kl;
}

double StdOf(double sum, double squares, double count) {
  const double mean = sum / count;
  return std::sqrt(std::max(squares / count - mean * mean, 0.0));
}

}  // namespace

MetricAccumulator::MetricAccumulator(const MetricOptions& options) : options_(options) {
  if (options_.threads == 0) options_.threads = AvailableThreads();
}

template <class T>
void MetricAccumulator::AddValues(const T* candidate, const T* reference, int64_t count) {
  const int64_t blocks = CeilDiv(count, kBlock);
  const auto length = [&](int64_t block) { return std::min(kBlock, count - block * kBlock); };
  std::vector<PairSums> parts(static_cast<size_t>(blocks));
  ParallelFor(options_.threads, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t at = block * kBlock;
      parts[static_cast<size_t>(block)] =
          SumsOf(candidate + at, reference + at, length(block), options_.tolerance);
    }
  });
  for (int64_t block = 0; block < blocks; ++block) {
    const PairSums& part = parts[static_cast<size_t>(block)];
    const T* x = candidate + block * kBlock;
    const T* r = reference + block * kBlock;
    if (part.max_abs > sums_.max_abs) {
      max_abs_at_ = elements_ + block * kBlock + PlaceOfMaximum(x, r, length(block), part.max_abs);
    }
    MergePairSums(part, sums_);
    if (part.finite == length(block)) continue;
    CountNonFinite(x, length(block), candidate_);
    CountNonFinite(r, length(block), reference_);
    for (int64_t i = 0; i < length(block); ++i) {
      equal_infinities_ += std::isinf(x[i]) && x[i] == r[i] ? 1 : 0;
    }
  }
  elements_ += count;
}

template <class T>
void MetricAccumulator::AddDivergenceOf(const T* candidate, const T* reference, int64_t count) {
  const int64_t blocks = CeilDiv(count, kBlock);
  const PairRanges ranges = RangesOf(sums_);
  const bool all_finite = sums_.finite == elements_;
  std::vector<DivergenceSums> parts(static_cast<size_t>(blocks));
  ParallelFor(options_.threads, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t at = block * kBlock;
      parts[static_cast<size_t>(block)] = DivergenceOf(
          candidate + at, reference + at, std::min(kBlock, count - at), ranges, all_finite);
    }
  });
  for (const DivergenceSums& part : parts) {
    divergence_.candidate += part.candidate;
    divergence_.reference += part.reference;
    divergence_.weighted_log += part.weighted_log;
  }
  divergence_seen_ = true;
}

void MetricAccumulator::Add(const TensorView& candidate, const TensorView& reference) {
  const int64_t count = reference.shape.elements();
  VN_CHECK(candidate.shape.elements() == count, "chunks of equally many values");
  WithValues(candidate, reference, [&](const auto* x, const auto* r) { AddValues(x, r, count); });
}

void MetricAccumulator::AddDivergence(const TensorView& candidate, const TensorView& reference) {
  const int64_t count = reference.shape.elements();
  VN_CHECK(candidate.shape.elements() == count, "chunks of equally many values");
  WithValues(candidate, reference,
             [&](const auto* x, const auto* r) { AddDivergenceOf(x, r, count); });
}

TensorMetrics MetricAccumulator::Finish() const {
  TensorMetrics metrics;
  metrics.elements = elements_;
  metrics.finite_pairs = sums_.finite;
  metrics.candidate = candidate_;
  metrics.reference = reference_;
  metrics.equal_infinities = equal_infinities_;
  metrics.max_abs_at = max_abs_at_;
  if (sums_.finite == 0) return metrics;
  const auto count = static_cast<double>(sums_.finite);
  metrics.max_abs = sums_.max_abs;
  metrics.mean_abs = sums_.abs / count;
  metrics.max_rel = sums_.max_relative;
  metrics.mean_rel = sums_.relative / count;
  metrics.sum_rel = sums_.relative;
  metrics.mre = sums_.mre / count;
  metrics.cosine = CosineOf(sums_);
  metrics.mse = sums_.squares / count;
  metrics.rmse = std::sqrt(metrics.mse);
  const double range = sums_.reference_max - sums_.reference_min;
  if (sums_.squares == 0) {
    metrics.rel_euclidean = 0;
    metrics.psnr_db = std::numeric_limits<double>::infinity();
  } else {
    if (sums_.reference_squares > 0) {
      metrics.rel_euclidean = std::sqrt(sums_.squares / sums_.reference_squares);
    }
    if (range > 0) metrics.psnr_db = 10 * std::log10(range * range / metrics.mse);
  }
  if (divergence_seen_ && (sums_.candidate_squares > 0 || sums_.reference_squares > 0)) {
    metrics.kl = KlOf(divergence_);
  }
  metrics.within = static_cast<double>(sums_.within) / count;
  metrics.needed_atol = sums_.needed_atol;
  metrics.candidate_mean = sums_.candidate_sum / count;
  metrics.candidate_std = StdOf(sums_.candidate_sum, sums_.candidate_squares, count);
  metrics.candidate_norm = std::sqrt(sums_.candidate_squares);
  metrics.reference_mean = sums_.reference_sum / count;
  metrics.reference_std = StdOf(sums_.reference_sum, sums_.reference_squares, count);
  metrics.reference_norm = std::sqrt(sums_.reference_squares);
  return metrics;
}

TensorMetrics MeasurePair(const TensorView& candidate, const TensorView& reference,
                          const MetricOptions& options) {
  MetricAccumulator accumulator(options);
  accumulator.Add(candidate, reference);
  if (options.divergence) accumulator.AddDivergence(candidate, reference);
  return accumulator.Finish();
}

}  // namespace vernier
