// Runs that go on from states: token by token, and of fewer tokens than were bound.
#include <algorithm>
#include <atomic>

#include "backends/ref/backend.h"
#include "nn/layers.h"
#include "runtime/context.h"
#include "runtime/state.h"
#include "support/allocation_count.h"
#include "support/toy_program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::AllocationsSoFar;
using testing::Compile;
using testing::CpuDevice;
using testing::Wave;

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

TEST(RepeatedRun, KeepsOneTeamAndAllocatesNothing) {
  const auto program = Compile(Decoder(), CpuDevice(), "f32", 3);
  const auto plan = program->Bind({{"rows", 1}, {"capacity", 64}, {"tokens", 1}});
  ASSERT_EQ(plan->lanes(), 1);
  KvState state(1, 64, {2, 8});
  const Tensor x = Wave({1, 1, 16}, 0.3);
  Context context;
  RepeatedRun run(context, plan, {{"x", x.view()}},
                  {.runtime_extents = {{"tokens", 1}}, .states = {{"cache", &state.view()}}});
  const Extents tokens = {{"tokens", 1}};
  run.Run(tokens);
  const int64_t before = AllocationsSoFar();
  ASSERT_GT(before, 0);
  for (int repeat = 0; repeat < 10; ++repeat) run.Run(tokens);
  EXPECT_EQ(AllocationsSoFar() - before, 0);
}

TEST(RepeatedRun, EndsWithAnErrorWhenItIsCancelledAndRunsAgain) {
  const auto program = Compile(Decoder(), CpuDevice());
  const auto plan = program->Bind({{"rows", 1}, {"capacity", 64}, {"tokens", 1}});
  KvState state(1, 64, {2, 8});
  const Tensor x = Wave({1, 1, 16}, 0.3);
  std::atomic<bool> cancel = true;
  Context context;
  RepeatedRun run(context, plan, {{"x", x.view()}},
                  {.cancel = &cancel,
                   .runtime_extents = {{"tokens", 1}},
                   .states = {{"cache", &state.view()}}});
  try {
    run.Run({{"tokens", 1}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
  EXPECT_EQ(state.length(0), 0);
  cancel = false;
  run.Run({{"tokens", 1}});
  EXPECT_EQ(state.length(0), 1);
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

}  // namespace
}  // namespace vernier
