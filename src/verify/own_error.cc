#include "verify/own_error.h"

#include <cmath>
#include <limits>

namespace vernier {

double OwnErrorOf(const TensorComparison& tensor) {
  if (!tensor.own) return 0;
  const TensorMetrics& metrics = tensor.own->metrics;
  if (!metrics.comparable()) return std::numeric_limits<double>::infinity();
  // Of a reference that is zero throughout, any error is infinitely large.
  if (std::isnan(metrics.rel_euclidean)) {
    return metrics.max_abs > 0 ? std::numeric_limits<double>::infinity() : 0;
  }
  return metrics.rel_euclidean;
}

const TensorComparison* MostOwnError(std::span<const TensorComparison> tensors) {
  const TensorComparison* most = nullptr;
  for (const TensorComparison& tensor : tensors) {
    if (OwnErrorOf(tensor) > (most != nullptr ? OwnErrorOf(*most) : 0)) most = &tensor;
  }
  if (most == nullptr || !most->own->inside.empty()) return most;
  const TensorComparison* inner = nullptr;
  for (const TensorComparison& tensor : tensors) {
    if (!tensor.own || tensor.own->inside != most->name) continue;
    const double least = inner != nullptr ? OwnErrorOf(*inner) : OwnErrorOf(*most) / 2;
    if (OwnErrorOf(tensor) >= least) inner = &tensor;
  }
  return inner != nullptr ? inner : most;
}

}  // namespace vernier
