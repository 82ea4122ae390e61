// The walk on golden checkpoints: faults planted on the candidate's side must be named.
#include "verify/lockstep.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cpu/backend.h"
#include "io/npy.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "pipeline/checkpoint_weights.h"
#include "pipeline/compiled_model.h"
#include "verify/given_values.h"
#include "verify/own_error.h"
#include "verify/running_values.h"

namespace vernier {
namespace {

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/";

SessionOptions Options(const std::string& golden, const std::string& device) {
  SessionOptions options;
  options.model = kGoldens + golden;
  options.device = device;
  options.threads = 2;
  return options;
}

NamedTensors Pixels(const std::string& golden) {
  NamedTensors inputs;
  inputs.emplace("pixel_values", ReadNpy(kGoldens + golden + "/pixel_values.npy"));
  return inputs;
}

NamedViews Views(const NamedTensors& tensors) {
  NamedViews views;
  for (const auto& [name, tensor] : tensors) views.emplace(name, tensor.view());
  return views;
}

/// What is done to the candidate; nothing by default.
struct Fault {
  std::string name;  // of the test
  std::string culprit;
  std::string golden = "vit/base_detail";
  std::function<void(Graph&)> graph = {};
  std::string weight = {};  // canonical name
  std::function<void(Tensor&)> change = {};
  PrecisionRules precision = {};
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

// A checkpoint with a fault, compiled for the CPU.
class Candidate {
 public:
  explicit Candidate(const Fault& fault)
      : model_(Options(fault.golden, "cpu")), backend_(MakeCpuBackend({})) {
    Graph graph = model_.model().graph;
    if (fault.graph) fault.graph(graph);
    if (fault.change) {
      EXPECT_NE(graph.Find(fault.weight), kNoValue) << fault.weight;
      const auto id = static_cast<size_t>(graph.Find(fault.weight));
      changed_ = ToFloat32(model_.weights().Raw(graph.values()[id].name));
      fault.change(changed_);
    }
    auto store = std::make_shared<WeightStore>(
        WeightStore::Source{.view = [this, weight = fault.weight](const std::string& name) {
          return changed_.shape().rank() > 0 && name == weight ? changed_.view()
                                                               : model_.weights().Raw(name);
        }});
    program_ = Program::Compile(
        graph, store, {.backend = backend_.get(), .precision = fault.precision, .threads = 2});
  }

  std::shared_ptr<const Plan> Bind(const NamedTensors& inputs) const {
    return model_.Bind(*program_, inputs);
  }

 private:
  CompiledModel model_;
  std::unique_ptr<Backend> backend_;
  Tensor changed_;
  std::shared_ptr<const Program> program_;
};

Walk Compare(const Fault& fault) {
  const NamedTensors inputs = Pixels(fault.golden);
  const CompiledModel reference(Options(fault.golden, "ref"));
  const auto reference_plan = reference.Bind(reference.program(), inputs);
  const Candidate candidate(fault);
  const auto plan = candidate.Bind(inputs);
  return WalkInLockstep({.plan = plan.get(), .inputs = Views(inputs)},
                        [&](const std::vector<bool>& wanted) {
                          return std::make_unique<RunningValues>(
                              *reference_plan, Views(inputs), plan->program().original(), wanted);
                        });
}

Node& NodeNamed(Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.mutable_nodes(), name, &Node::name);
  EXPECT_NE(found, graph.mutable_nodes().end()) << name;
  return *found;
}

void Scale(Tensor& tensor, float by) {
  for (float& value : tensor.as<float>()) value *= by;
}

std::vector<Fault> Faults() {
  constexpr Precision kHalf{DType::kBF16, DType::kBF16, DType::kBF16};
  const std::string first = "encoder.layer.0", second = "encoder.layer.1";
  return {
      {.name = "OneWeightScaledByOnePercent",
       .culprit = second + ".output.dense",
       .weight = second + ".output.dense.weight",
       .change = [](Tensor& t) { Scale(t, 1.01f); }},
      {.name = "NormWithWrongEps",
       .culprit = second + ".layernorm_before",
       .graph =
           [=](Graph& graph) {
             NodeNamed(graph, second + ".layernorm_before").attributes =
                 Attributes::Of(LayerNorm{1e-3});
           }},
      {.name = "HeadTransposed",
       .culprit = first + ".attention.attention.query",
       .weight = first + ".attention.attention.query.weight",
       .change =
           [](Tensor& t) {  // the first eight columns of the third head
             constexpr int64_t kDim = 8, kFirst = 16;
             auto values = t.as<float>();
             const int64_t width = t.shape()[1];
             for (int64_t i = 0; i < kDim; ++i) {
               for (int64_t j = 0; j < i; ++j) {
                 std::swap(values[static_cast<size_t>((kFirst + i) * width + j)],
                           values[static_cast<size_t>((kFirst + j) * width + i)]);
               }
             }
           }},
      {.name = "BiasDropped",
       .culprit = first + ".intermediate.dense",
       .weight = first + ".intermediate.dense.bias",
       .change = [](Tensor& t) { Scale(t, 0.0f); }},
      {.name = "OtherFormOfTheActivation",
       .culprit = second + ".intermediate",
       .graph =
           [=](Graph& graph) {
             NodeNamed(graph, second + ".intermediate").attributes =
                 Attributes::Of(ActivationOp{ActivationKind::kGeluTanh});
           }},
      {.name = "QueriesAndKeysSwapped",
       .culprit = first + ".attention.context",
       .graph =
           [=](Graph& graph) {
             auto& inputs = NodeNamed(graph, first + ".attention.context").inputs;
             std::swap(inputs[0], inputs[1]);
           }},
      {.name = "PositionsOffByOne",
       .culprit = "embeddings",
       .weight = "embeddings.position_embeddings",
       .change =
           [](Tensor& t) {
             const auto values = t.as<float>();
             std::rotate(values.begin(), values.begin() + t.shape()[-1], values.end());
           }},
      {.name = "WrongScaleOfAttention",
       .culprit = second + ".attention.context",
       .graph =
           [=](Graph& graph) {
             Node& node = NodeNamed(graph, second + ".attention.context");
             Attention attention = node.attributes.get<Attention>();
             attention.scale *= 1.1;
             node.attributes = Attributes::Of(attention);
           }},
      {.name = "OneLayerInHalfPrecision",
       .culprit = second + "*",  // any node of it
       .precision = {{second + ".*", kHalf}}},
      {.name = "ResidualFromTheWrongPlace",
       .culprit = second,
       .graph =
           [=](Graph& graph) {
             std::ranges::replace(NodeNamed(graph, second).inputs, graph.Find(second + "#residual"),
                                  graph.Find(first));
           }},
      {.name = "RotaryPositionsOffByOne",
       .culprit = "rope",
       .golden = "pe_lang/pair_original",
       .graph =
           [](Graph& graph) {
             Node& node = NodeNamed(graph, "rope");
             RopeTable2d table = node.attributes.get<RopeTable2d>();
             table.offset = 0;
             node.attributes = Attributes::Of(table);
           }},
      {.name = "ProjectionScaledByOnePercent",
       .culprit = "transformer.resblocks.1.attn.in_proj",
       .golden = "pe_lang/pair_original",
       .weight = "transformer.resblocks.1.attn.in_proj_weight",
       .change = [](Tensor& t) { Scale(t, 1.01f); }},
  };
}

class PlantedFault : public testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, IsNamedByTheErrorThatItsNodeAdds) {
  const Walk walk = Compare(GetParam());
  const TensorComparison* most = MostOwnError(walk.tensors);
  ASSERT_NE(most, nullptr);
  const std::string& culprit = GetParam().culprit;
  const auto is_named = [&](const TensorComparison& tensor) {
    return GlobMatches(culprit, tensor.name) ||
           GlobMatches(culprit + "#?", tensor.name);  // a second result of the node
  };
  EXPECT_TRUE(is_named(*most)) << most->name << " instead of " << culprit;
  // By a wide margin: nothing outside of the culprit's step comes near.
  for (const TensorComparison& tensor : walk.tensors) {
    const std::string step = most->own->inside.empty() ? most->name : most->own->inside;
    if (!tensor.own || tensor.name == step || tensor.own->inside == step) continue;
    if (is_named(tensor)) continue;
    EXPECT_LT(OwnErrorOf(tensor), 0.1 * OwnErrorOf(*most)) << tensor.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Lockstep, PlantedFault, testing::ValuesIn(Faults()),
                         [](const auto& fault) { return fault.param.name; });

TEST(Lockstep, FindsOnlyRoundingInAPortThatIsRight) {
  for (const char* golden : {"vit/base_detail", "pe_lang/pair_original"}) {
    const Walk walk = Compare({.golden = golden});
    EXPECT_GT(walk.tensors.size(), 40u);
    for (const TensorComparison& tensor : walk.tensors) {
      EXPECT_EQ(tensor.not_compared, "") << tensor.name;
      EXPECT_LT(tensor.accumulated.rel_euclidean, 1e-5) << tensor.name;
      if (tensor.preprocessing) continue;
      ASSERT_TRUE(tensor.own) << tensor.name;
      EXPECT_LT(OwnErrorOf(tensor), 1e-6) << tensor.name;
      EXPECT_EQ(tensor.own->kind, "isolated");
    }
  }
}

// A reference on file: some of the values that a run of `ref` gives.
class Recorded final : public GivenTensors {
 public:
  Recorded(const Plan& plan, const NamedTensors& inputs,
           const std::function<bool(const std::string&)>& keep) {
    struct Sink : TapSink {
      Sink(NamedTensors& to, const std::function<bool(const std::string&)>& keep_name)
          : tensors(to), keep(keep_name) {}
      bool Wants(const ValueInfo& value) const override { return keep(value.name); }
      void Take(const TapRecord& record, const TensorView& tensor) override {
        tensors.emplace(record.name, Tensor::CopyOf(tensor));
      }
      NamedTensors& tensors;
      const std::function<bool(const std::string&)>& keep;
    } sink(tensors_, keep);
    Context().Run(plan, Views(inputs), {.taps = &sink});
  }

  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) names.push_back(name);
    return names;
  }
  bool Has(std::string_view name) const override { return tensors_.contains(name); }
  Shape ShapeOf(std::string_view name) const override {
    return tensors_.find(name)->second.shape();
  }
  Tensor Read(std::string_view name) const override {
    return Tensor::CopyOf(tensors_.find(name)->second.view());
  }

 private:
  NamedTensors tensors_;
};

TEST(Lockstep, ComputesWhatAReferenceOnFileLacksAndCallsItRegional) {
  const Fault fault = Faults()[0];
  const NamedTensors inputs = Pixels(fault.golden);
  const CompiledModel reference(Options(fault.golden, "ref"));
  const auto reference_plan = reference.Bind(reference.program(), inputs);
  // As a hook on whole layers would record them.
  const Recorded recorded(*reference_plan, inputs, [](const std::string& name) {
    return name == "pixel_values" || name == "embeddings" || name == "encoder.layer.0" ||
           name == "encoder.layer.1" || name == "layernorm";
  });
  const Candidate candidate(fault);
  const auto plan = candidate.Bind(inputs);
  const Walk walk = WalkInLockstep(
      {.plan = plan.get(), .inputs = Views(inputs)}, [&](const std::vector<bool>& wanted) {
        return std::make_unique<GivenValues>(*reference_plan, recorded, wanted);
      });
  const TensorComparison* most = MostOwnError(walk.tensors);
  ASSERT_NE(most, nullptr);
  EXPECT_EQ(most->name, fault.culprit);
  EXPECT_EQ(most->own->kind, "regional");
  EXPECT_EQ(most->own->since, "encoder.layer.0");
  EXPECT_EQ(most->notes, std::vector<std::string>{"the reference has no such value; its step's own "
                                                  "error is regional"});
  EXPECT_EQ(most->accumulated.elements, 0);
  const auto layer = std::ranges::find(walk.tensors, "encoder.layer.0", &TensorComparison::name);
  EXPECT_GT(layer->accumulated.elements, 0);
}

TEST(Lockstep, GivesAReferenceOnFileTheBitsOfTheRunThatItWasRecordedFrom) {
  const std::string golden = "vit/base_detail";
  const NamedTensors inputs = Pixels(golden);
  const CompiledModel reference(Options(golden, "ref"));
  const auto plan = reference.Bind(reference.program(), inputs);
  const Recorded recorded(*plan, inputs, [](const std::string& name) {
    return name == "pixel_values" || name == "encoder.layer.0";
  });
  const Walk walk = WalkInLockstep(
      {.plan = plan.get(), .inputs = Views(inputs)}, [&](const std::vector<bool>& wanted) {
        return std::make_unique<GivenValues>(*plan, recorded, wanted,
                                             GivenOptions{.computed_is_own = true});
      });
  for (const TensorComparison& tensor : walk.tensors) {
    EXPECT_EQ(tensor.accumulated.max_abs, 0) << tensor.name;
  }
}

}  // namespace
}  // namespace vernier
