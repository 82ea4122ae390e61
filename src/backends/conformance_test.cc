// That no op of the table is without a case in the conformance tests beside this one, and that
// composites equal the plain ops that they stand for.
#include <algorithm>
#include <iterator>
#include <set>

#include "ops/attention.h"
#include "ops/table.h"
#include "support/conformance.h"

namespace vernier {
namespace {

using testing::Allowed;
using testing::BuildCase;
using testing::Case;
using testing::LargestDifference;
using testing::LargestMagnitude;
using testing::RunGraph;
using testing::ToyWeights;

std::vector<Case> AllCases() {
  std::vector<Case> cases = testing::RowCases();
  for (const auto& family : {testing::AttentionCases, testing::MapCases}) {
    std::ranges::move(family(), std::back_inserter(cases));
  }
  return cases;
}

TEST(Conformance, ReachesEveryOpOfTheTable) {
  std::set<std::string> reached = {kKvAppend.name, kCachedAttention.name};  // tests of their own
  const auto backend = MakeCpuBackend({});
  for (const Case& c : AllCases()) {
    const Graph graph = BuildCase(c, false);
    for (const Node& node : graph.nodes()) reached.insert(node.op->name);
    const auto program =
        Program::Compile(graph, ToyWeights(graph).Store(),
                         {.backend = backend.get(), .precision = PresetRules("bf16", {})});
    for (const Node& node : program->graph().nodes()) reached.insert(node.op->name);
  }
  for (const OpDef* op : AllOps()) {
    EXPECT_TRUE(reached.contains(op->name)) << op->name << " has no case";
  }
}

TEST(Conformance, OfCompositesWithTheirDecompositionsHolds) {
  std::set<std::string> decomposed;
  for (const Case& c : AllCases()) {
    Graph graph = BuildCase(c, false);
    const std::vector<Node> nodes = graph.nodes();
    for (const Node& node : nodes) {
      if (node.op->decompose == nullptr) continue;
      const std::vector<int> ids = node.op->decompose(graph, node);
      if (ids.empty()) continue;  // a form that stays whole
      decomposed.insert(node.op->name);
      graph.MarkOutput({&graph, node.outputs[0]}, "whole " + node.name);
      graph.MarkOutput({&graph, ids[0]}, "parts " + node.name);
    }
    const NamedTensors found = RunGraph(
        graph, {.options = {.backend = &RefBackend()}, .range = c.range, .given = c.given});
    for (const auto& [name, whole] : found) {
      if (!name.starts_with("whole ")) continue;
      const Tensor& parts = found.at("parts " + name.substr(6));
      ASSERT_EQ(parts.shape().ToString(), whole.shape().ToString()) << c.name;
      // Intermediate values round to f32 in the parts alone.
      EXPECT_LE(LargestDifference(parts, whole), Allowed(c, "f32", LargestMagnitude(whole)))
          << c.name << ": " << name;
    }
  }
  for (const OpDef* op : AllOps()) {
    EXPECT_EQ(op->decompose != nullptr, decomposed.contains(op->name)) << op->name;
  }
}

}  // namespace
}  // namespace vernier
