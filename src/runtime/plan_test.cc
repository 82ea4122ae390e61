// Where a plan lays its values.
#include "runtime/plan.h"

#include <gtest/gtest.h>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "ops/conv.h"
#include "runtime/context.h"
#include "support/tiny_models.h"
#include "support/toy_graph.h"

namespace vernier {
namespace {

using testing::ToyWeights;
using testing::Wave;

const Shape kMap{2, 8, 6, 7};

Value Conv(Value x, int64_t kernel, const char* name) {
  return nn::Conv(x, {.out = kMap[1], .kernel = kernel, .bias = true}, Path(name), Path(name));
}

// What the last convolution before the output reads and adds to.
enum class Last { kAddsOnly, kAddsWhatItReads, kAddsWhatIsAnOutput };

Graph Residual(Last last, int64_t kernel) {
  Graph graph("residual");
  const Value x =
      graph.Input("x", DType::kF32, {Dim(kMap[0]), Dim(kMap[1]), Dim(kMap[2]), Dim(kMap[3])});
  const Value first = Conv(x, 1, "first");
  const Value read = last == Last::kAddsWhatItReads ? first : Conv(first, 3, "middle");
  Value y = nn::Add(Conv(read, kernel, "last"), first, Path("sum"));
  y = nn::Activate(y, ActivationKind::kRelu, Path("relu"));
  graph.MarkOutput(Conv(y, 1, "behind"), "y");
  if (last == Last::kAddsWhatIsAnOutput) graph.MarkOutput(first, "first");
  return graph;
}

std::shared_ptr<const Program> Compile(const Graph& graph, const Backend& backend) {
  ProgramOptions options;
  options.backend = &backend;
  options.threads = 2;
  return Program::Compile(graph, ToyWeights(graph).Store(), options);
}

// Whether the convolution that adds a residual writes its result over it.
bool WritesOverItsResidual(const Plan& plan) {
  for (const Step& step : plan.steps()) {
    if (step.inputs.size() <= FusedConv2d::kResidual) continue;
    const Operand& residual = step.inputs[FusedConv2d::kResidual];
    if (residual.value != kNoValue) return residual.offset == step.outputs[0].offset;
  }
  ADD_FAILURE() << "no convolution adds a residual";
  return false;
}

TEST(Plan, LaysASumOverWhatIsAddedWhereNothingElseReadsThatAnyMore) {
  const auto cpu = MakeCpuBackend({});
  const Tensor x = Wave(kMap, 0.1);
  for (const Last last : {Last::kAddsOnly, Last::kAddsWhatItReads, Last::kAddsWhatIsAnOutput}) {
    for (const int64_t kernel : {1, 3}) {
      const Graph graph = Residual(last, kernel);
      const auto program = Compile(graph, *cpu), reference = Compile(graph, RefBackend());
      const auto plan = program->Bind({});
      EXPECT_EQ(WritesOverItsResidual(*plan), last == Last::kAddsOnly);
      Context context;
      const NamedTensors expected = context.Run(*reference->Bind({}), {{"x", x.view()}});
      const NamedTensors found = context.Run(*plan, {{"x", x.view()}});
      for (const auto& [name, tensor] : expected) {
        for (size_t i = 0; i < tensor.as<float>().size(); ++i) {
          ASSERT_NEAR(found.at(name).as<float>()[i], tensor.as<float>()[i], 1e-5) << name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace vernier
