// The list of passes on whole models: results stay, each pass can be left out, every value of the
// model remains accounted for.
#include "passes/pass.h"

#include <cmath>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "support/run_graph.h"
#include "support/tiny_models.h"
#include "support/toy_program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::CpuOptions;
using testing::GraphRun;
using testing::LargestDifference;
using testing::LargestMagnitude;
using testing::RunGraph;
using testing::ToyWeights;

struct Model {
  Graph graph;
  Extents extents;
};

std::vector<Model> TinyModels() {
  return {{testing::TinyVitGraph(), testing::TinyVitExtents()},
          {testing::TinyPeGraph(), testing::TinyPeExtents()}};
}

// About 20 products stand one behind the other, with sums of at most 80. In f32 each sum of n is
// off by n * 2^-24 of its values, in bf16 each factor and each stored value by 2^-9.
double Allowed(const std::string& dtype, double magnitude) {
  constexpr double kProducts = 20, kSum = 80;
  const double each = dtype == "f32" ? kSum * std::ldexp(1.0, -24) : 3 * std::ldexp(1.0, -9);
  return kProducts * each * std::max(1.0, magnitude);
}

TEST(Passes, ChangeNoResultWhicheverIsLeftOut) {
  for (const Model& model : TinyModels()) {
    const NamedTensors expected =
        RunGraph(model.graph, {.options = {.backend = &RefBackend()}, .extents = model.extents});
    std::vector<std::vector<std::string>> disabled = {{}};
    std::vector<std::string> all;
    for (const Pass& pass : AllPasses()) {
      disabled.push_back({pass.name});
      all.emplace_back(pass.name);
    }
    disabled.push_back(all);
    for (const auto& passes : disabled) {
      for (const char* dtype : {"f32", "bf16"}) {
        SCOPED_TRACE(model.graph.name() + " in " + dtype + " without " +
                     ::testing::PrintToString(passes));
        const NamedTensors found =
            RunGraph(model.graph, {.options = CpuOptions(dtype, passes), .extents = model.extents});
        for (const auto& [name, tensor] : expected) {
          EXPECT_LE(LargestDifference(found.at(name), tensor),
                    Allowed(dtype, LargestMagnitude(tensor)))
              << name;
        }
      }
    }
  }
}

// These only move work: every sum keeps its products and their order.
TEST(Passes, ThatMoveWorkChangeNoBit) {
  for (const Model& model : TinyModels()) {
    const NamedTensors with =
        RunGraph(model.graph, {.options = CpuOptions("f32"), .extents = model.extents});
    for (const char* pass : {"drop_unused", "fuse_projections"}) {
      const NamedTensors without =
          RunGraph(model.graph, {.options = CpuOptions("f32", {pass}), .extents = model.extents});
      for (const auto& [name, tensor] : with) {
        // Joined with the classifier, the pooler has its tanh as a step of its own.
        if (name == "pooler_output") continue;
        EXPECT_EQ(LargestDifference(without.at(name), tensor), 0.0) << pass << ": " << name;
      }
    }
  }
}

TEST(Passes, RunInTheirOrderWithoutTheDisabledOnes) {
  const Graph graph = testing::TinyVitGraph();
  std::vector<std::string> ran;
  ProgramOptions options = CpuOptions("bf16", {"fuse_epilogue"});
  options.observe_pass = [&](std::string_view pass, const Graph&) { ran.emplace_back(pass); };
  Program::Compile(graph, ToyWeights(graph).Store(), options);
  EXPECT_THAT(ran, ::testing::ElementsAre("drop_unused", "precision", "fold_batch_norm",
                                          "fuse_maps", "fuse_convolutions", "fuse_gates",
                                          "fuse_projections", "fuse_rotary", "casts", "layouts"));
}

TEST(Passes, NameThemselvesWhenOneIsUnknown) {
  const Graph graph = testing::TinyVitGraph();
  try {
    Program::Compile(graph, ToyWeights(graph).Store(), CpuOptions("f32", {"fuse"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("unknown pass 'fuse'"));
    for (const Pass& pass : AllPasses()) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(pass.name));
    }
  }
}

TEST(Provenance, AccountsForEveryValue) {
  for (const Model& model : TinyModels()) {
    for (const char* dtype : {"f32", "bf16"}) {
      const auto program =
          Program::Compile(model.graph, ToyWeights(model.graph).Store(), CpuOptions(dtype));
      for (size_t id = 0; id < model.graph.values().size(); ++id) {
        const ValueInfo& value = model.graph.values()[id];
        const Provenance& provenance = program->provenance(static_cast<int>(id));
        const bool absent = provenance.kind == TapKind::kAbsent;
        EXPECT_EQ(absent, value.kind == ValueKind::kWeight) << value.name;
        EXPECT_EQ(absent, !provenance.reason.empty()) << value.name;
      }
    }
  }
}

TEST(Provenance, SaysHowEachValueIsSeen) {
  const Graph graph = testing::TinyVitGraph();
  const auto program = Program::Compile(graph, ToyWeights(graph).Store(), CpuOptions("f32"));
  const std::pair<const char*, TapKind> expected[] = {
      {"pixel_values", TapKind::kExact},
      {"encoder.layer.0", TapKind::kExact},
      {"encoder.layer.0.layernorm_before", TapKind::kExact},
      {"encoder.layer.0.attention.attention.query", TapKind::kView},
      {"encoder.layer.0.attention.context", TapKind::kExact},
      {"encoder.layer.0.attention.probs", TapKind::kRecomputed},
      {"encoder.layer.0.attention.output.dense", TapKind::kRecomputed},
      {"encoder.layer.0.intermediate.dense", TapKind::kRecomputed},
      {"encoder.layer.0.intermediate", TapKind::kExact},
      {"encoder.layer.0.output.dense", TapKind::kRecomputed},
      {"pooler", TapKind::kExact}};
  for (const auto& [name, kind] : expected) {
    EXPECT_STREQ(Name(program->provenance(graph.Find(name)).kind), Name(kind)) << name;
  }
}

}  // namespace
}  // namespace vernier
