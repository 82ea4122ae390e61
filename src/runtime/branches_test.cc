// Branches of a graph that run at the same time.
#include <atomic>

#include "backends/cpu/backend.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/ref/backend.h"
#include "core/parallel.h"
#include "nn/layers.h"
#include "runtime/context.h"
#include "support/allocation_count.h"
#include "support/toy_program.h"

namespace vernier {
namespace {

using testing::AllocationsSoFar;
using testing::Compile;
using testing::CpuDevice;
using testing::MaxDifference;
using testing::SameBytes;
using testing::ToyWeights;
using testing::Wave;

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

TEST(Branches, AllocateNothingWhereARunIsRepeated) {
  const Graph graph = Branches();
  const auto program = ParallelProgram(graph, 3);
  const std::shared_ptr<const Plan> plan = program->Bind({{"batch", 50}});
  ASSERT_GT(plan->lanes(), 1);
  const Tensor x = Wave({50, 32}, 0.9);
  Context context;
  RepeatedRun run(context, plan, {{"x", x.view()}}, {});
  run.Run({});
  const int64_t before = AllocationsSoFar();
  ASSERT_GT(before, 0);
  for (int repeat = 0; repeat < 10; ++repeat) run.Run({});
  EXPECT_EQ(AllocationsSoFar() - before, 0);
}

}  // namespace
}  // namespace vernier
