// One call that compiles, binds and runs a graph on wave inputs and weights, and comparisons of
// what comes out.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/context.h"
#include "runtime/plan.h"
#include "runtime/program.h"
#include "support/toy_graph.h"

namespace vernier::testing {

struct ValueRange {
  float low = -1.0f;
  float high = 1.0f;
};

struct GraphRun {
  ProgramOptions options;
  Extents extents = {};
  ValueRange range = {};  // of the inputs
  RunOptions run = {};
  NamedViews given = {};  // inputs that are no waves, such as offsets
};

/// A wave for each input that is not given.
inline NamedTensors WaveInputs(const Graph& graph, const GraphRun& how) {
  NamedTensors inputs;
  for (int id : graph.inputs()) {
    const ValueInfo& info = graph.value(id);
    if (how.given.contains(info.name)) continue;
    std::vector<int64_t> shape;
    for (const Dim& dim : info.type.shape) shape.push_back(dim.Evaluate(how.extents));
    Tensor wave = Wave(Shape(std::span<const int64_t>(shape)), 0.5 + id);
    const float middle = (how.range.low + how.range.high) / 2, reach = how.range.high - middle;
    for (float& value : wave.as<float>()) value = middle + reach * value;
    inputs.emplace(info.name, std::move(wave));
  }
  return inputs;
}

inline NamedTensors RunProgram(const Program& program, const GraphRun& how) {
  const NamedTensors inputs = WaveInputs(program.original(), how);
  NamedViews views = how.given;
  for (const auto& [name, tensor] : inputs) views.emplace(name, tensor.view());
  return Context().Run(*program.Bind(how.extents), views, how.run);
}

inline NamedTensors RunGraph(const Graph& graph, const GraphRun& how) {
  return RunProgram(*Program::Compile(graph, ToyWeights(graph).Store(), how.options), how);
}

/// Largest difference of two tensors of one shape; NaN when there is one in either.
inline double LargestDifference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    const double difference = std::abs(static_cast<double>(a.as<float>()[i]) - b.as<float>()[i]);
    if (std::isnan(difference)) return difference;
    largest = std::max(largest, difference);
  }
  return largest;
}

inline double LargestMagnitude(const Tensor& tensor) {
  double largest = 0;
  for (float value : tensor.as<float>()) largest = std::max<double>(largest, std::abs(value));
  return largest;
}

}  // namespace vernier::testing
