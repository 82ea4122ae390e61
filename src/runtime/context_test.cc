// The seams of the runtime, each on a toy graph.
#include "runtime/context.h"

#include <atomic>
#include <chrono>
#include <cmath>

#include "backends/cpu/backend.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/ref/backend.h"
#include "core/parallel.h"
#include "models/pe/model.h"
#include "models/vit/model.h"
#include "nn/layers.h"
#include "ops/linear.h"
#include "runtime/state.h"
#include "support/tiny_models.h"
#include "support/toy_graph.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::TinyVitConfig;
using testing::ToyWeights;
using testing::Wave;

const Backend& CpuDevice() {
  static const auto backend = MakeCpuBackend({});
  return *backend;
}

std::shared_ptr<const Program> Compile(const Graph& graph, const Backend& backend,
                                       const std::string& dtype = "f32", int threads = 2) {
  ProgramOptions options;
  options.backend = &backend;
  options.precision = PresetRules(dtype, {});
  options.threads = threads;
  return Program::Compile(graph, ToyWeights(graph).Store(), options);
}

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

double MaxDifference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double largest = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    largest = std::max(largest, std::abs(double{a.as<float>()[i]} - b.as<float>()[i]));
  }
  return largest;
}

bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::ranges::equal(a.as<float>(), b.as<float>());
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

// Keys and values of one head are appended, then attended to.
Graph Decoder() {
  Graph graph("decoder");
  const Dim rows = Dim::Symbol("rows"), tokens = Dim::Symbol("tokens", SymbolKind::kRuntime);
  const Value x = graph.Input("x", DType::kF32, {rows, tokens, 16});
  const Value cache = graph.State("cache", {DType::kF32, {rows, Dim::Symbol("capacity"), 16}});
  const Value q = nn::Linear(x, Path("q"), 16);
  const Value k = nn::Linear(x, Path("k"), 16);
  const Value v = nn::Linear(x, Path("v"), 16);
  const Value next =
      graph.Add(kKvAppend, Attributes::Of(KvAppend{}), {cache, k, v}, Path("append"));
  const CachedAttention attention{.heads = 2, .kv_heads = 2, .scale = 0.35};
  const Value y =
      graph.Add(kCachedAttention, Attributes::Of(attention), {q, next}, Path("attention"));
  graph.MarkOutput(nn::Linear(y, Path("out"), 16), "y");
  return graph;
}

TEST(State, MakesDecodingTokenByTokenEqualToAllAtOnce) {
  constexpr int64_t kTokens = 70;  // more than one block of the cache
  const Graph graph = Decoder();
  const Tensor all = Wave({2, kTokens, 16}, 0.7);
  for (const Backend* backend : {&RefBackend(), &CpuDevice()}) {
    const auto program = Compile(graph, *backend);
    const auto plan = program->Bind({{"rows", 2}, {"capacity", 128}, {"tokens", kTokens}});
    Context context;
    KvState at_once(2, 128, {2, 8}), by_token(2, 128, {2, 8});
    const auto expected =
        context.Run(*plan, {{"x", all.view()}}, {.states = {{"cache", &at_once.view()}}});
    for (int64_t t = 0; t < kTokens; ++t) {
      Tensor x(DType::kF32, {2, 1, 16});
      for (int64_t row = 0; row < 2; ++row) {
        const auto from =
            all.as<float>().subspan(static_cast<size_t>((row * kTokens + t) * 16), 16);
        std::ranges::copy(from, x.as<float>().begin() + row * 16);
      }
      const auto y = context.Run(
          *plan, {{"x", x.view()}},
          {.runtime_extents = {{"tokens", 1}}, .states = {{"cache", &by_token.view()}}});
      for (int64_t row = 0; row < 2; ++row) {
        for (int64_t c = 0; c < 16; ++c) {
          const auto at = static_cast<size_t>((row * kTokens + t) * 16 + c);
          EXPECT_NEAR(y.at("y").as<float>()[static_cast<size_t>(row * 16 + c)],
                      expected.at("y").as<float>()[at], 1e-5);
        }
      }
    }
    EXPECT_EQ(by_token.length(0), kTokens);
  }
}

TEST(RepeatedRun, GivesWhatSingleRunsGive) {
  const Graph graph = Decoder();
  for (const Backend* backend : {&RefBackend(), &CpuDevice()}) {
    const auto program = Compile(graph, *backend);
    const auto plan = program->Bind({{"rows", 2}, {"capacity", 64}, {"tokens", 3}});
    KvState single(2, 64, {2, 8}), repeated(2, 64, {2, 8});
    Tensor x = Wave({2, 3, 16}, 0.1);
    Context context, own;
    RepeatedRun run(own, plan, {{"x", x.view()}},
                    {.runtime_extents = {{"tokens", 3}}, .states = {{"cache", &repeated.view()}}});
    for (const int64_t tokens : {3, 3, 1, 2}) {
      std::ranges::copy(Wave({2, 3, 16}, 0.1 + static_cast<double>(tokens)).as<float>(),
                        x.as<float>().begin());
      const TensorView used{x.data(), DType::kF32, {2, tokens, 16}};
      const auto expected = context.Run(
          *plan, {{"x", used}},
          {.runtime_extents = {{"tokens", tokens}}, .states = {{"cache", &single.view()}}});
      run.Run({{"tokens", tokens}});
      EXPECT_TRUE(std::ranges::equal(run.Output("y"), expected.at("y").as<float>()));
    }
  }
}

TEST(State, RefusesMoreTokensThanItsCapacity) {
  const auto program = Compile(Decoder(), RefBackend());
  const auto plan = program->Bind({{"rows", 1}, {"capacity", 64}, {"tokens", 40}});
  const Tensor x = Wave({1, 40, 16}, 0.8);
  KvState state(1, 64, {2, 8});
  Context context;
  context.Run(*plan, {{"x", x.view()}}, {.states = {{"cache", &state.view()}}});
  EXPECT_THROW(context.Run(*plan, {{"x", x.view()}}, {.states = {{"cache", &state.view()}}}),
               Error);
}

TEST(RuntimeExtents, AreRefusedBeyondTheBoundCapacity) {
  const auto program = Compile(Decoder(), RefBackend());
  const auto plan = program->Bind({{"rows", 1}, {"capacity", 64}, {"tokens", 4}});
  const Tensor x = Wave({1, 5, 16}, 0.8);
  KvState state(1, 64, {2, 8});
  Context context;
  EXPECT_THROW(
      context.Run(*plan, {{"x", x.view()}},
                  {.runtime_extents = {{"tokens", 5}}, .states = {{"cache", &state.view()}}}),
      Error);
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

// Four branches that read one value and are summed, the first of them the longest.
Graph Branches() {
  Graph graph("branches");
  const Value x = graph.Input("x", DType::kF32, {Dim::Symbol("batch"), 32});
  const Value trunk = nn::Linear(x, Path("trunk"), 32);
  std::vector<Value> ends;
  for (int branch = 0; branch < 4; ++branch) {
    graph.SetBranch(1 + branch);
    const Path at = Path("branch") / branch;
    const int64_t width = branch == 0 ? 256 : 64;
    Value y = nn::LayerNorm(trunk, at / "norm", 1e-6);
    y = nn::Activate(nn::Linear(y, at / "fc1", width), ActivationKind::kGelu, at / "act");
    ends.push_back(nn::Linear(y, at / "fc2", 32));
  }
  graph.SetBranch(0);
  Value sum = ends[0];
  for (size_t i = 1; i < ends.size(); ++i) {
    sum = nn::Add(sum, ends[i], Path("sum") / static_cast<int>(i));
  }
  graph.MarkOutput(sum, "y");
  return graph;
}

TEST(Branches, GiveTheSameBytesInParallelAsInOrder) {
  const Graph graph = Branches();
  const auto weights = ToyWeights(graph).Store();
  ProgramOptions options;
  options.backend = &CpuDevice();
  const auto serial = Program::Compile(graph, weights, options);
  options.parallel_branches = true;
  const Tensor x = Wave({50, 32}, 0.9);
  Context context;
  const auto expected = context.Run(*serial->Bind({{"batch", 50}}), {{"x", x.view()}});
  for (int threads : {1, 2, 3, 4}) {
    options.threads = threads;
    const auto parallel = Program::Compile(graph, weights, options);
    const auto plan = parallel->Bind({{"batch", 50}});
    EXPECT_EQ(plan->lanes() > 1, threads > 1);
    EXPECT_GE(plan->arena_bytes(), serial->Bind({{"batch", 50}})->arena_bytes());
    for (int repeat = 0; repeat < 5; ++repeat) {
      const auto found = context.Run(*plan, {{"x", x.view()}});
      EXPECT_TRUE(SameBytes(expected.at("y"), found.at("y"))) << threads << " threads";
    }
  }
}

auto ParallelProgram(const Graph& graph, int threads) {
  ProgramOptions options;
  options.backend = &CpuDevice();
  options.threads = threads;
  options.parallel_branches = true;
  return Program::Compile(graph, ToyWeights(graph).Store(), options);
}

TEST(Branches, LeaveTheTrunkAllThreadsAndShareThemByTheirWork) {
  const Graph graph = Branches();
  const auto program = ParallelProgram(graph, 6);
  const auto plan = program->Bind({{"batch", 50}});
  std::map<std::string, int> threads;
  for (const Step& step : plan->steps()) {
    threads[program->graph().nodes()[static_cast<size_t>(step.node)].name] = step.threads;
  }
  EXPECT_EQ(threads.at("trunk"), 6);
  EXPECT_EQ(threads.at("branch.0.norm"), 3);
  EXPECT_EQ(threads.at("branch.1.norm"), 1);
}

// Two branches of products that are wide enough for oneDNN, each on a lane of two threads.
TEST(Branches, GiveTheReferencesResultsWhereLanesOfSeveralThreadsRunOnednn) {
  if (!HasOnednn()) GTEST_SKIP() << "this build has no oneDNN";
  if (!Cpu().Has(Isa::kAvx512)) GTEST_SKIP() << "oneDNN is used from AVX-512 on only";
  Graph graph("wide");
  const Value x = graph.Input("x", DType::kF32, {Dim::Symbol("batch"), 96});
  std::vector<Value> ends;
  for (int branch = 0; branch < 2; ++branch) {
    graph.SetBranch(1 + branch);
    const Path at = Path("branch") / branch;
    const Value wide =
        nn::Activate(nn::Linear(x, at / "fc1", 512), ActivationKind::kGelu, at / "act");
    ends.push_back(nn::Linear(wide, at / "fc2", 200));
  }
  graph.SetBranch(0);
  graph.MarkOutput(nn::Add(ends[0], ends[1], Path("sum")), "y");
  const auto weights = ToyWeights(graph).Store();
  const Tensor rows = Wave({197, 96}, 0.9);
  const auto expected =
      Context().Run(*Compile(graph, RefBackend())->Bind({{"batch", 197}}), {{"x", rows.view()}});
  const auto backend = MakeCpuBackend({.onednn = OnednnUse::kAlways});
  ProgramOptions options;
  options.backend = backend.get();
  options.threads = 4;
  const auto serial = Program::Compile(graph, weights, options);
  options.parallel_branches = true;
  const auto parallel = Program::Compile(graph, weights, options);
  const auto plan = parallel->Bind({{"batch", 197}});
  ASSERT_EQ(plan->lanes(), 2);
  for (const Step& step : plan->steps()) {
    const bool linear = step.kernel->info().provider == "onednn";
    EXPECT_EQ(step.threads, linear ? 2 : 4);
  }
  const auto found = Context().Run(*plan, {{"x", rows.view()}});
  EXPECT_LT(MaxDifference(expected.at("y"), found.at("y")), 2e-5);
  const auto in_order = Context().Run(*serial->Bind({{"batch", 197}}), {{"x", rows.view()}});
  EXPECT_TRUE(SameBytes(in_order.at("y"), found.at("y")));
}

// Within a region of a caller's there are no threads for lanes; the branches then run in order.
TEST(Branches, RunInOrderWhereThereAreNoThreadsForLanes) {
  const Graph graph = Branches();
  const auto program = ParallelProgram(graph, 2);
  const auto plan = program->Bind({{"batch", 5}});
  const Tensor x = Wave({5, 32}, 0.9);
  const auto expected = Context().Run(*plan, {{"x", x.view()}});
  std::atomic<int> same = 0;
  ParallelWorkers(2, [&](int) {
    same += SameBytes(expected.at("y"), Context().Run(*plan, {{"x", x.view()}}).at("y"));
  });
  EXPECT_EQ(same, 2);
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
