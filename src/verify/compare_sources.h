// Compares two sides tensor by tensor, streaming: of large tensors only chunks are in memory.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "verify/comparison.h"
#include "verify/pairing.h"
#include "verify/tensor_source.h"

namespace vernier {

struct CompareOptions {
  PairingRules pairing = {};
  Tolerances tolerances = {};
  std::vector<std::string> filters = {};  // globs of names to compare; empty: all
  bool divergence = true;
  int threads = 0;  // 0: all that this process may use
  std::function<void(size_t done, size_t of)> progress = {};
  const std::atomic<bool>* cancel = nullptr;
};

/// Everything but gates and verdict. Throws Error{kInput} when nothing can be paired or a file is
/// damaged, Error{kInterrupted} when cancelled.
Comparison CompareSources(const TensorSource& reference, const TensorSource& candidate,
                          const CompareOptions& options);

/// Figures of two tensors of equally many values in the same order.
TensorMetrics MeasureLoaded(const LoadedTensor& candidate, const LoadedTensor& reference,
                            const MetricOptions& options);

/// Whether a tensor's rows are scores of classes.
bool HoldsScores(const std::string& name, const std::vector<std::string>& aliases);

}  // namespace vernier
