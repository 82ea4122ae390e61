// Where values are stored as bf16, and where a cast stands.
#include <algorithm>

#include "backends/cpu/backend.h"
#include "nn/layers.h"
#include "ops/linear.h"
#include "ops/shape_ops.h"
#include "passes/pass.h"
#include "support/tiny_models.h"

namespace vernier {
namespace {

Graph OnCpu(Graph graph, const PrecisionRules& rules,
            const std::vector<std::string>& disabled = {}) {
  const auto backend = MakeCpuBackend({});
  const PassContext context{.rules = rules,
                            .wanted = backend->passes(),
                            .can_emit = [&](const Graph& g, const Node& node, DType dtype) {
                              return backend->CanEmit(g, node, dtype);
                            }};
  RunPasses(graph, context, disabled, {});
  return graph;
}

int64_t Casts(const Graph& graph) { return std::ranges::count(graph.nodes(), &kCast, &Node::op); }

bool ReadsBf16(const Node& node, size_t operand) {
  if (node.op == &kFusedLinear || node.op == &kRope) return operand == 0;
  if (node.op == &kAttention || node.op == &kRotaryAttention) return operand < 3;
  return node.op == &kSlice || node.op == &kReshape;
}

void ExpectBf16OnlyWhereItIsRead(const Graph& graph) {
  for (const Node& node : graph.nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue) continue;
      if (graph.value(node.inputs[i]).type.dtype != DType::kBF16) continue;
      EXPECT_TRUE(ReadsBf16(node, i)) << node.name << " reads operand " << i << " as f32";
    }
  }
  for (const auto& output : graph.outputs()) {
    EXPECT_EQ(graph.value(output.value).type.dtype, DType::kF32) << output.name;
  }
}

// All values between products are stored as bf16 by what computes them; the class token's row of
// the final norm, an output and so f32, is cast once for pooler and classifier.
TEST(PlaceCasts, NeedsOneOnVitAndNoneOnThePerceptionEncoder) {
  const PrecisionRules rules = PresetRules("bf16", {});
  const Graph vit = OnCpu(testing::TinyVitGraph(), rules);
  EXPECT_EQ(Casts(vit), 1);
  EXPECT_EQ(Casts(OnCpu(testing::TinyPeGraph(), rules)), 0);
  for (const char* name : {"encoder.layer.0.layernorm_before", "encoder.layer.1.intermediate",
                           "encoder.layer.0.attention.context"}) {
    EXPECT_EQ(vit.value(vit.Find(name)).type.dtype, DType::kBF16) << name;
  }
  for (const char* name : {"embeddings", "encoder.layer.0", "encoder.layer.1"}) {
    EXPECT_EQ(vit.value(vit.Find(name)).type.dtype, DType::kF32) << name;
  }
}

TEST(PlaceCasts, LetsNoBf16ReachAnOpThatReadsF32) {
  std::vector<std::vector<std::string>> disabled = {{}};
  for (const Pass& pass : AllPasses()) disabled.push_back({pass.name});
  for (const auto& keep_f32 : {std::vector<std::string>{},
                               {"*.query", "*in_proj"},
                               {"*attention*", "*attn*"},
                               {"*dense*", "*mlp*"}}) {
    const PrecisionRules rules = PresetRules("bf16", keep_f32);
    for (const auto& passes : disabled) {
      SCOPED_TRACE(::testing::PrintToString(keep_f32) + ::testing::PrintToString(passes));
      ExpectBf16OnlyWhereItIsRead(OnCpu(testing::TinyVitGraph(), rules, passes));
      ExpectBf16OnlyWhereItIsRead(OnCpu(testing::TinyPeGraph(), rules, passes));
    }
  }
}

TEST(PlaceCasts, DoesNothingInF32) {
  const Graph graph = OnCpu(testing::TinyVitGraph(), {});
  EXPECT_EQ(Casts(graph), 0);
  for (const ValueInfo& value : graph.values()) EXPECT_EQ(value.type.dtype, DType::kF32);
}

TEST(PlaceCasts, SharesOneCopyAmongReaders) {
  Graph graph("shared");
  const Value x = graph.Input("x", DType::kF32, {2, 16});
  graph.MarkOutput(nn::Linear(x, Path("a"), 16), "a");
  graph.MarkOutput(nn::Linear(x, Path("b"), 16), "b");
  const Graph cast = OnCpu(graph, PresetRules("bf16", {}), {"fuse_projections"});
  EXPECT_EQ(Casts(cast), 1);
  EXPECT_NE(cast.Find("x#bf16"), kNoValue);
  EXPECT_EQ(Casts(OnCpu(graph, PresetRules("bf16", {"b"}), {"fuse_projections"})), 1);
}

}  // namespace
}  // namespace vernier
