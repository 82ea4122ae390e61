#include "verify/culprits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "verify/own_error.h"

namespace vernier {
namespace {

/// Error grows by at least this from one tensor to the next where it is called amplified: less is
/// what a norm or a residual does anyway.
constexpr double kAmplified = 4;
/// Errors below f32's own rounding are not worth a name.
constexpr double kRounding = 1e-7;

bool WasMeasured(const TensorComparison& tensor) {
  return tensor.not_compared.empty() && tensor.accumulated.elements > 0;
}

double ErrorOf(const TensorComparison& tensor) {
  if (!tensor.accumulated.comparable()) return std::numeric_limits<double>::infinity();
  const double error = tensor.accumulated.rel_euclidean;
  return std::isnan(error) ? 0 : error;
}

bool MissesAGate(const TensorComparison& tensor, std::span<const Gate> gates) {
  return std::ranges::any_of(gates, [&](const Gate& gate) {
    return !gate.average && Covers(gate, tensor) && !Keeps(gate, tensor);
  });
}

struct Growth {
  const TensorComparison* tensor = nullptr;
  double before = 0;
  double after = 0;
};

/// The largest increase, or the largest factor, from one tensor to the next.
template <class Size>
Growth LargestGrowth(const std::vector<const TensorComparison*>& run, const Size& size) {
  Growth largest;
  double before = 0;
  for (const TensorComparison* tensor : run) {
    const double after = ErrorOf(*tensor);
    const bool more = size(before, after) > size(largest.before, largest.after);
    if (more && after > kRounding) largest = {tensor, before, after};
    before = after;
  }
  return largest;
}

double Increase(double before, double after) { return after - before; }
double Factor(double before, double after) { return before > kRounding ? after / before : 0; }

void BlamePreprocessing(const Comparison& comparison, std::span<const Gate> gates,
                        Culprits& culprits) {
  for (const TensorComparison& tensor : comparison.tensors) {
    if (!tensor.preprocessing || !WasMeasured(tensor)) continue;
    const TensorMetrics& metrics = tensor.accumulated;
    if (metrics.within == 1 && metrics.comparable() && !MissesAGate(tensor, gates)) continue;
    if (culprits.first_over_gate.empty()) culprits.first_over_gate = tensor.name;
    culprits.sentences.push_back(fmt::format(
        "preprocessing differs before any layer runs: '{}' by at most {:.4g}, {:.4g} on average; "
        "all that follows starts from other inputs",
        tensor.name, metrics.max_abs, metrics.mean_abs));
  }
}

}  // namespace

Culprits FindCulprits(const Comparison& comparison, std::span<const Gate> gates) {
  Culprits culprits;
  BlamePreprocessing(comparison, gates, culprits);
  std::vector<const TensorComparison*> run;
  for (const TensorComparison& tensor : comparison.tensors) {
    if (!tensor.preprocessing && WasMeasured(tensor)) run.push_back(&tensor);
  }
  const auto over = std::ranges::find_if(
      run, [&](const TensorComparison* tensor) { return MissesAGate(*tensor, gates); });
  if (over != run.end()) {
    if (culprits.first_over_gate.empty()) culprits.first_over_gate = (*over)->name;
    culprits.sentences.push_back(fmt::format("the first over its gate is '{}'", (*over)->name));
  }
  const bool isolated = std::ranges::any_of(
      comparison.tensors, [](const TensorComparison& tensor) { return tensor.own.has_value(); });
  culprits.evidence = isolated ? "isolated" : "growth";
  if (isolated) {
    if (const TensorComparison* most = MostOwnError(comparison.tensors); most != nullptr) {
      culprits.most_own_error = most->name;
      culprits.sentences.push_back(fmt::format(
          "'{}' adds most error of its own: {:.3g} of its values' norm when fed with the "
          "reference's inputs",
          most->name, OwnErrorOf(*most)));
    }
  } else if (const Growth growth = LargestGrowth(run, Increase); growth.tensor != nullptr) {
    culprits.most_own_error = growth.tensor->name;
    culprits.sentences.push_back(fmt::format(
        "the error grows most at '{}': from {:.3g} to {:.3g} of the norm (read off the accumulated "
        "error; comparing two settings measures each step alone)",
        growth.tensor->name, growth.before, growth.after));
  }
  const Growth factor = LargestGrowth(run, Factor);
  if (factor.tensor != nullptr && Factor(factor.before, factor.after) >= kAmplified &&
      factor.tensor->name != culprits.most_own_error) {
    culprits.amplified_at = factor.tensor->name;
    culprits.sentences.push_back(fmt::format("'{}' amplifies what reaches it {:.3g} times",
                                             factor.tensor->name,
                                             Factor(factor.before, factor.after)));
  }
  return culprits;
}

}  // namespace vernier
