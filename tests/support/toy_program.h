// Programs of small graphs on the backends, and how what they give is compared.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/cpu/backend.h"
#include "passes/precision_rules.h"
#include "runtime/program.h"
#include "support/toy_graph.h"

namespace vernier::testing {

inline const Backend& CpuDevice() {
  static const auto backend = MakeCpuBackend({});
  return *backend;
}

inline ProgramOptions CpuOptions(const std::string& dtype,
                                 std::vector<std::string> disabled_passes = {}) {
  return {.backend = &CpuDevice(),
          .precision = PresetRules(dtype, {}),
          .disabled_passes = std::move(disabled_passes)};
}

inline std::shared_ptr<const Program> Compile(const Graph& graph, const Backend& backend,
                                              const std::string& dtype = "f32", int threads = 2) {
  ProgramOptions options;
  options.backend = &backend;
  options.precision = PresetRules(dtype, {});
  options.threads = threads;
  return Program::Compile(graph, ToyWeights(graph).Store(), options);
}

inline double MaxDifference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double largest = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    largest = std::max(largest, std::abs(double{a.as<float>()[i]} - b.as<float>()[i]));
  }
  return largest;
}

inline bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::ranges::equal(a.as<float>(), b.as<float>());
}

}  // namespace vernier::testing
