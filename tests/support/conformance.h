// What the conformance tests share: a case writes a small graph, and what every backend of this
// machine gives for it is held to the reference. Cases stand in one test file a family.
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "nn/layers.h"
#include "support/run_graph.h"

namespace vernier::testing {

// Writes one case's graph. Strided inputs are columns of a wider input, as the parts of a fused
// projection are.
class Builder {
 public:
  Builder(Graph& graph, bool strided) : graph_(graph), strided_(strided) {}

  Value Input(const std::string& name, Dims shape) {
    if (!strided_ || shape.empty()) return graph_.Input(name, DType::kF32, std::move(shape));
    const Dim columns = shape.back();
    const int axis = static_cast<int>(shape.size()) - 1;
    shape.back() = columns + 5;
    const Value wide = graph_.Input(name, DType::kF32, std::move(shape));
    return nn::Slice(wide, axis, 2, columns, Path(name) / "#columns");
  }

  Value Offsets(const std::string& name, int64_t count) {
    return graph_.Input(name, DType::kI32, {count});
  }

  Value Weight(const std::string& name, const Shape& shape) {
    return graph_.Weight(Path(name), shape);
  }

  template <typename T>
  Value Add(const OpDef& op, T attributes, std::vector<Value> inputs) {
    return graph_.Add(op, Attributes::Of(std::move(attributes)), std::move(inputs), Path(op.name));
  }

  void Output(Value value) {
    graph_.MarkOutput(value, "y" + std::to_string(graph_.outputs().size()));
  }

  Graph& graph() { return graph_; }

 private:
  Graph& graph_;
  bool strided_;
};

struct Case {
  std::string name;
  std::function<void(Builder&)> build;
  int64_t sum_length = 1;  // of the longest sum behind one element
  ValueRange range = {};
  NamedViews given = {};
};

inline Graph BuildCase(const Case& c, bool strided) {
  Graph graph(c.name);
  Builder builder(graph, strided);
  c.build(builder);
  return graph;
}

// 0, 1, odd, and around the 16 lanes of the widest vectors.
inline constexpr int64_t kSizes[] = {1, 7, 15, 16, 17, 33};

/// Products, what goes row by row or element by element, and what moves rows.
std::vector<Case> RowCases();
/// Attention, the positions of its tokens, and the grids of pictures that they come from.
std::vector<Case> AttentionCases();
/// Convolutions and other ops on maps.
std::vector<Case> MapCases();

// In f32 partial sums of n products of values up to 1 grow as sqrt(n), every addition rounds by
// 2^-24 of them, and n such errors add up as sqrt(n) again: n * 2^-24; 16 more for approximated
// exponentials. In bf16 both factors of each product round by 2^-9: sqrt(n) * 2^-8. Weights in 8
// bits round by 1/254 of the largest of them, which is at most 2^-7 of values up to 1 beside
// bf16's. Four times that is beyond the tail of some ten thousand elements.
inline double Allowed(const Case& c, const std::string& dtype, double magnitude) {
  const double n = static_cast<double>(c.sum_length), scale = std::max(1.0, magnitude);
  const double f32 = (n + 16) * std::ldexp(1.0, -24) * scale;
  if (dtype == "f32") return 4 * f32;
  return 4 * (f32 + std::sqrt(n) * std::ldexp(1.0, dtype == "bf16" ? -8 : -7) * scale);
}

struct Device {
  std::string name;
  std::unique_ptr<Backend> backend;
  std::string dtype;
  int threads;
};

inline std::vector<Device> Devices() {
  std::vector<Device> devices;
  for (Isa isa : Cpu().isas) {
    for (const char* dtype : {"f32", "bf16", "int8"}) {
      devices.push_back({fmt::format("cpu {} {}", Name(isa), dtype),
                         MakeCpuBackend({.isa = isa, .onednn = OnednnUse::kNever}), dtype,
                         dtype == std::string("f32") ? 1 : 2});
    }
  }
  return devices;
}

inline void CompareWithReference(const Case& c, bool strided, const std::vector<Device>& devices) {
  const Graph graph = BuildCase(c, strided);
  const ToyWeights weights(graph);
  const auto run = [&](ProgramOptions options) {
    const GraphRun how{.options = std::move(options), .range = c.range, .given = c.given};
    return RunProgram(*Program::Compile(graph, weights.Store(), how.options), how);
  };
  const NamedTensors expected = run({.backend = &RefBackend()});
  for (const Device& device : devices) {
    SCOPED_TRACE(fmt::format("{}{} on {}", c.name, strided ? ", strided" : "", device.name));
    const NamedTensors found = run({.backend = device.backend.get(),
                                    .precision = PresetRules(device.dtype, {}),
                                    .threads = device.threads});
    for (const auto& [name, tensor] : expected) {
      ASSERT_EQ(found.at(name).shape().ToString(), tensor.shape().ToString());
      EXPECT_LE(LargestDifference(found.at(name), tensor),
                Allowed(c, device.dtype, LargestMagnitude(tensor)))
          << name;
    }
  }
}

inline void CompareOnEveryDevice(const std::vector<Case>& cases) {
  const std::vector<Device> devices = Devices();
  for (const Case& c : cases) {
    for (const bool strided : {false, true}) {
      CompareWithReference(c, strided, devices);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace vernier::testing
