// Program: a model's graph after passes, with kernel families chosen and weights packed; knows no
// extents. Immutable and shared by threads. Bind gives the Plan for one set of extents; plans are
// kept in a small cache, and binding runs no pass and packs no weight.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "graph/graph.h"
#include "passes/precision_rules.h"
#include "runtime/taps.h"

namespace vernier {

class Plan;

struct ProgramOptions {
  const Backend* backend = nullptr;
  PrecisionRules precision;
  std::vector<std::string> disabled_passes;
  int threads = 1;
  /// Run the graph's branches at the same time, sharing the threads, instead of one after the
  /// other.
  bool parallel_branches = false;
  size_t plan_cache_bytes = size_t{64} << 20;  // of folded constants and steps held by plans
  std::function<void(std::string_view pass, const Graph&)> observe_pass;
  /// Told how many bytes packing will add to the store, before anything is packed; may throw.
  std::function<void(size_t bytes)> before_packing;
};

class Program {
 public:
  /// Runs the passes and packs the weights. Throws Error{kDevice} naming each node that the backend
  /// cannot run, with the reason, and Error{kInput} for missing weights.
  static std::shared_ptr<const Program> Compile(const Graph& model,
                                                std::shared_ptr<WeightStore> weights,
                                                ProgramOptions options);

  /// The plan for these values of the graph's symbols (a runtime symbol's value is its capacity).
  std::shared_ptr<const Plan> Bind(const Extents& extents) const;

  const Graph& original() const { return original_; }
  const Graph& graph() const { return graph_; }
  const Backend& backend() const { return *options_.backend; }
  int threads() const { return options_.threads; }
  bool parallel_branches() const { return options_.parallel_branches; }
  const Provenance& provenance(int original_value) const {
    return provenance_[static_cast<size_t>(original_value)];
  }

  /// A weight as dense f32, alive as long as the program.
  const float* Float32Weight(int value) const;
  /// The original graph's weight by value id, for recomputed taps; converted on first use.
  TensorView OriginalWeight(int value) const;

  struct PreparedStep {
    int node = 0;  // index in graph().nodes()
    std::unique_ptr<PreparedNode> prepared;
    bool folded = false;  // depends on weights and extents alone: computed at bind time
  };
  const std::vector<PreparedStep>& steps() const { return steps_; }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

 private:
  Program(const Graph& model, std::shared_ptr<WeightStore> weights, ProgramOptions options);
  void CheckSupport() const;
  using HeldWeights = std::map<int, WeightStore::Float32View>;
  struct Prepared {
    std::vector<PreparedStep> steps;
    HeldWeights held;
  };
  void Prepare();
  Prepared PrepareWith(WeightStore& weights) const;
  void HoldWeights(const Node& node, const std::vector<int>& owned, WeightStore& weights,
                   HeldWeights& held) const;
  void TraceProvenance();

  Graph original_;
  Graph graph_;
  std::shared_ptr<WeightStore> weights_;
  ProgramOptions options_;
  std::vector<PreparedStep> steps_;
  std::vector<Provenance> provenance_;
  mutable std::mutex weights_mutex_;
  mutable HeldWeights held_weights_;

  mutable std::mutex plans_mutex_;
  mutable std::list<std::pair<std::string, std::shared_ptr<const Plan>>> plans_;  // newest first
};

}  // namespace vernier
