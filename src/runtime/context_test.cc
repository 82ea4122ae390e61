// The seams of the runtime, each on a toy graph.
#include "runtime/context.h"

#include <algorithm>
#include <atomic>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "models/pe/model.h"
#include "models/vit/model.h"
#include "nn/layers.h"
#include "ops/linear.h"
#include "support/tiny_models.h"
#include "support/toy_program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::Compile;
using testing::CpuDevice;
using testing::MaxDifference;
using testing::SameBytes;
using testing::TinyVitConfig;
using testing::ToyWeights;
using testing::Wave;

// Two linears around an activation, with a residual: what fusion turns into two steps.
Graph Mlp() {
  Graph graph("mlp");
  const Value x = graph.Input("x", DType::kF32, {Dim::Symbol("batch"), 24});
  Value h = nn::Linear(x, Path("fc1"), 48);
  h = nn::Activate(h, ActivationKind::kGelu, Path("act"));
  h = nn::Linear(h, Path("fc2"), 24);
  graph.MarkOutput(nn::Add(x, h, Path("sum")), "y");
  return graph;
}

// Keeps everything that the pattern names.
class Recorder final : public TapSink {
 public:
  explicit Recorder(std::string pattern = "*") : pattern_(std::move(pattern)) {}
  bool Wants(const ValueInfo& value) const override { return GlobMatches(pattern_, value.name); }
  void Take(const TapRecord& record, const TensorView& tensor) override {
    kinds[record.name] = record.kind;
    tensors.emplace(record.name, Tensor::CopyOf(tensor));
  }
  std::map<std::string, TapKind> kinds;
  std::map<std::string, Tensor> tensors;

 private:
  std::string pattern_;
};

TEST(Context, RunsTheSameModelOnBothBackendsAlike) {
  const VitConfig config = TinyVitConfig();
  const Graph graph = VitGraph(config, {.pooler = true, .classifier = true});
  const Tensor pixels = Wave({2, 3, 20, 20}, 0.1);
  Context context;
  const auto ref = Compile(graph, RefBackend());
  const auto cpu = Compile(graph, CpuDevice());
  const auto expected = context.Run(*ref->Bind({{"batch", 2}}), {{"pixel_values", pixels.view()}});
  const auto found = context.Run(*cpu->Bind({{"batch", 2}}), {{"pixel_values", pixels.view()}});
  ASSERT_EQ(expected.size(), 3u);
  for (const auto& [name, tensor] : expected) {
    EXPECT_LT(MaxDifference(tensor, found.at(name)), 1e-5) << name;
  }
}

TEST(Context, StaysCloseInBf16) {
  const Graph graph = VitGraph(TinyVitConfig(), {.pooler = true});
  const Tensor pixels = Wave({1, 3, 20, 20}, 0.2);
  Context context;
  const auto f32 = Compile(graph, CpuDevice());
  const auto bf16 = Compile(graph, CpuDevice(), "bf16");
  const auto a = context.Run(*f32->Bind({{"batch", 1}}), {{"pixel_values", pixels.view()}});
  const auto b = context.Run(*bf16->Bind({{"batch", 1}}), {{"pixel_values", pixels.view()}});
  const double difference = MaxDifference(a.at("last_hidden_state"), b.at("last_hidden_state"));
  EXPECT_LT(difference, 0.15);
  EXPECT_GT(difference, 0);  // bf16 did run
}

TEST(Context, GivesTheSameBytesWithTapsOnAndOff) {
  for (const char* dtype : {"f32", "bf16"}) {
    const Graph graph = VitGraph(TinyVitConfig(), {.pooler = true});
    const Tensor pixels = Wave({2, 3, 20, 20}, 0.3);
    const auto program = Compile(graph, CpuDevice(), dtype);
    const auto plan = program->Bind({{"batch", 2}});
    const std::string fingerprint = plan->Fingerprint();
    Context context;
    const auto plain = context.Run(*plan, {{"pixel_values", pixels.view()}});
    Recorder recorder;
    const auto tapped = context.Run(*plan, {{"pixel_values", pixels.view()}}, {.taps = &recorder});
    for (const auto& [name, tensor] : plain) EXPECT_TRUE(SameBytes(tensor, tapped.at(name)));
    EXPECT_EQ(program->Bind({{"batch", 2}})->Fingerprint(), fingerprint);
    EXPECT_GT(recorder.tensors.size(), 40u);
  }
}

TEST(Taps, ShowEveryValueOfTheModelWithinRoundingOfTheReference) {
  const Graph graph = VitGraph(TinyVitConfig(), {.pooler = true, .classifier = true});
  const Tensor pixels = Wave({1, 3, 20, 20}, 0.4);
  Context context;
  Recorder expected, found;
  context.Run(*Compile(graph, RefBackend())->Bind({{"batch", 1}}),
              {{"pixel_values", pixels.view()}}, {.taps = &expected});
  context.Run(*Compile(graph, CpuDevice())->Bind({{"batch", 1}}), {{"pixel_values", pixels.view()}},
              {.taps = &found});
  ASSERT_EQ(expected.tensors.size(), found.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    EXPECT_LT(MaxDifference(tensor, found.tensors.at(name)), 2e-5) << name;
  }
  EXPECT_EQ(found.kinds.at("encoder.layer.0.attention.attention.query"), TapKind::kView);
  EXPECT_EQ(found.kinds.at("encoder.layer.1"), TapKind::kExact);
  EXPECT_EQ(found.kinds.at("encoder.layer.0.intermediate.dense"), TapKind::kRecomputed);
  EXPECT_EQ(found.kinds.at("encoder.layer.0.attention.probs"), TapKind::kRecomputed);
}

TEST(Context, RunsAStepAloneOnGivenInputs) {
  const Graph graph = Mlp();
  const auto program = Compile(graph, CpuDevice());
  const auto plan = program->Bind({{"batch", 3}});
  ASSERT_EQ(plan->steps().size(), 2u);
  const Tensor x = Wave({3, 24}, 0.5);
  Context context;
  const auto first = context.RunStep(*plan, 0, {{"x", x.view()}});
  const Tensor& hidden = first.at("act");
  const auto second = context.RunStep(*plan, 1, {{"x", x.view()}, {"act", hidden.view()}});
  const auto whole = context.Run(*plan, {{"x", x.view()}});
  EXPECT_TRUE(SameBytes(second.at("sum"), whole.at("y")));
}

TEST(Context, RunsAPlanStepByStepWithTheBytesOfAWholeRun) {
  const auto program = Compile(Mlp(), CpuDevice());
  const auto plan = program->Bind({{"batch", 3}});
  const Tensor x = Wave({3, 24}, 0.5);
  Context whole, stepped;
  SteppedRun run(stepped, *plan, {{"x", x.view()}}, {});
  size_t steps = 0;
  while (run.Advance()) ++steps;
  EXPECT_EQ(steps, plan->steps().size());
  EXPECT_TRUE(SameBytes(run.Outputs().at("y"), whole.Run(*plan, {{"x", x.view()}}).at("y")));
}

TEST(Context, RunsAStepOnOperandsThatLieApartAndInHalfPrecisionAsInThePlan) {
  ProgramOptions options;
  options.backend = &CpuDevice();
  options.precision = PresetRules("bf16", {});
  const Graph model = testing::TinyVitGraph();
  const auto program = Program::Compile(model, ToyWeights(model).Store(), options);
  const auto plan = program->Bind(testing::TinyVitExtents());
  const Tensor pixels = Wave({2, 3, 20, 20}, 0.5);
  // Every value of the running plan, then each step alone on what it read.
  struct All : TapSink {
    bool Wants(const ValueInfo&) const override { return true; }
    void Take(const TapRecord& record, const TensorView& tensor) override {
      values.insert_or_assign(record.name, ToFloat32(tensor));
    }
    NamedTensors values;
  } all;
  Context context;
  context.Run(*plan, {{"pixel_values", pixels.view()}}, {.taps = &all});
  int strided = 0;
  for (size_t i = 0; i < plan->steps().size(); ++i) {
    const Step& step = plan->steps()[i];
    NamedViews given;
    for (const Operand& operand : step.inputs) {
      if (operand.place != Place::kInput && operand.place != Place::kArena) continue;
      strided += !operand.arg.dense();
      const std::string& name = program->graph().value(operand.value).name;
      if (all.values.contains(name)) given.emplace(name, all.values.at(name).view());
    }
    const auto needs = std::ranges::count_if(step.inputs, [](const Operand& operand) {
      return operand.place == Place::kInput || operand.place == Place::kArena;
    });
    if (static_cast<int64_t>(given.size()) < needs) continue;  // reads what only the program has
    for (const auto& [name, found] : context.RunStep(*plan, static_cast<int>(i), given)) {
      const auto tapped = all.values.find(name);
      EXPECT_TRUE(tapped == all.values.end() || SameBytes(found, tapped->second)) << name;
    }
  }
  EXPECT_GT(strided, 0);
}

TEST(Context, RefusesMissingAndMisshapenInputs) {
  const auto program = Compile(Mlp(), CpuDevice());
  const auto plan = program->Bind({{"batch", 3}});
  Context context;
  EXPECT_THROW(context.Run(*plan, {}), Error);
  const Tensor wrong = Wave({3, 25}, 0.5);
  try {
    context.Run(*plan, {{"x", wrong.view()}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "input x must be f32[3, 24], got f32[3, 25]");
  }
}

TEST(Context, StopsBetweenStepsWhenCancelled) {
  const auto program = Compile(Mlp(), CpuDevice());
  const Tensor x = Wave({3, 24}, 0.5);
  const std::atomic<bool> cancel = true;
  Context context;
  try {
    context.Run(*program->Bind({{"batch", 3}}), {{"x", x.view()}}, {.cancel = &cancel});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
}

TEST(Context, GivesEachRowTheSameBytesWhateverTheBatchAndTheThreads) {
  const Graph graph = VitGraph(TinyVitConfig(), {});
  const Tensor pair = Wave({2, 3, 20, 20}, 0.6);
  Tensor second(DType::kF32, {1, 3, 20, 20});
  const auto half = pair.as<float>().subspan(3 * 20 * 20);
  std::ranges::copy(half, second.as<float>().begin());
  for (const char* dtype : {"f32", "bf16"}) {
    Context context;
    const auto two = Compile(graph, CpuDevice(), dtype, 2);
    const auto one = Compile(graph, CpuDevice(), dtype, 1);
    const auto batch = context.Run(*two->Bind({{"batch", 2}}), {{"pixel_values", pair.view()}});
    const auto alone = context.Run(*one->Bind({{"batch", 1}}), {{"pixel_values", second.view()}});
    const auto from_batch = batch.at("last_hidden_state").as<float>().subspan(26 * 40);
    EXPECT_TRUE(std::ranges::equal(from_batch, alone.at("last_hidden_state").as<float>())) << dtype;
  }
}

TEST(WeightStore, HoldsOneCopyForTwoPrograms) {
  const Graph graph = Mlp();
  const auto store = ToyWeights(graph).Store();
  ProgramOptions options;
  options.backend = &CpuDevice();
  const auto first = Program::Compile(graph, store, options);
  const size_t bytes = store->packed_bytes();
  const auto second = Program::Compile(graph, store, options);
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ(store->packed_bytes(), bytes);
}

TEST(WeightStore, CountsWhatAProgramWillAddBeforeAnythingIsPacked) {
  const Graph graph = Mlp();
  const auto store = ToyWeights(graph).Store();
  std::vector<size_t> foretold;
  ProgramOptions options;
  options.backend = &CpuDevice();
  options.before_packing = [&](size_t bytes) {
    if (foretold.empty()) {
      EXPECT_EQ(store->packed_bytes(), 0u);
    }
    foretold.push_back(bytes);
  };
  const auto first = Program::Compile(graph, store, options);
  const auto second = Program::Compile(graph, store, options);
  EXPECT_EQ(foretold, (std::vector<size_t>{store->packed_bytes(), 0}));
}

TEST(WeightStore, DropsAFormWithItsLastProgram) {
  const Graph graph = Mlp();
  const auto store = ToyWeights(graph).Store();
  ProgramOptions options;
  options.backend = &CpuDevice();
  Program::Compile(graph, store, options).reset();
  EXPECT_EQ(store->packed_bytes(), 0u);
}

TEST(Bind, KeepsPlansAndRunsNoPass) {
  const Graph graph = VitGraph(TinyVitConfig(), {.interpolate_positions = true});
  int passes = 0;
  ProgramOptions options;
  options.backend = &CpuDevice();
  options.observe_pass = [&](std::string_view, const Graph&) { ++passes; };
  const auto program = Program::Compile(graph, ToyWeights(graph).Store(), options);
  const int compiled = passes;
  const Extents small{{"batch", 1}, {"height", 20}, {"width", 20}};
  const Extents wide{{"batch", 1}, {"height", 12}, {"width", 28}};
  const auto plan = program->Bind(small);
  EXPECT_NE(program->Bind(wide), plan);
  EXPECT_EQ(program->Bind(small), plan);
  EXPECT_EQ(passes, compiled);
}

TEST(Bind, ChangesNoWeight) {
  const Graph graph = VitGraph(TinyVitConfig(), {});
  const auto store = ToyWeights(graph).Store();
  ProgramOptions options;
  options.backend = &CpuDevice();
  const auto program = Program::Compile(graph, store, options);
  const size_t bytes = store->packed_bytes();
  program->Bind({{"batch", 1}});
  program->Bind({{"batch", 7}});
  EXPECT_EQ(store->packed_bytes(), bytes);
}

TEST(PerceptionEncoder, RunsAwayFromItsNativeGridOnBothBackends) {
  PeConfig config;
  config.image_height = config.image_width = 16;
  config.patch_size = 4;
  config.width = 24;
  config.layers = 2;
  config.heads = 2;
  config.mlp_width = 50;
  for (PeSemantics semantics : {PeSemantics::kOriginal, PeSemantics::kTimm}) {
    config.semantics = semantics;
    config.reference_rows = config.reference_columns = semantics == PeSemantics::kTimm ? 32 : 0;
    const Graph graph = PeGraph(config);
    const Tensor pixels = Wave({1, 3, 21, 12}, 0.3);
    const Extents extents{{"batch", 1}, {"height", 21}, {"width", 12}};
    Context context;
    const auto expected = context.Run(*Compile(graph, RefBackend())->Bind(extents),
                                      {{"pixel_values", pixels.view()}});
    const auto found =
        context.Run(*Compile(graph, CpuDevice())->Bind(extents), {{"pixel_values", pixels.view()}});
    EXPECT_EQ(expected.at("features").shape(), (Shape{1, 16, 24}));
    EXPECT_LT(MaxDifference(expected.at("features"), found.at("features")), 2e-5);
  }
}

}  // namespace
}  // namespace vernier
