// The encoder against every golden's arrays, on the reference and on this CPU, values seen through
// taps of the plan that runs.
#include "models/pix2struct/encoder.h"

#include <cmath>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "io/checkpoint.h"
#include "io/npy.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "runtime/program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/pix2struct/";

// Keeps the values that the goldens call encoder_hidden[i] and encoder_last.
class GoldenTaps final : public TapSink {
 public:
  bool Wants(const ValueInfo& value) const override {
    return std::ranges::any_of(value.aliases, IsGolden);
  }

  void Take(const TapRecord& record, const TensorView& tensor) override {
    for (const std::string& alias : record.aliases) {
      if (IsGolden(alias)) taken.emplace(alias, Tensor::CopyOf(tensor));
    }
  }

  NamedTensors taken;

 private:
  static bool IsGolden(const std::string& name) {
    return name == "encoder_last" || name.starts_with("encoder_hidden[");
  }
};

struct Golden {
  explicit Golden(const std::string& name)
      : folder(kGoldens + name + "/"),
        arrays(Json::ParseFile(folder + "case.json").Get("arrays")),
        config(ParsePix2StructConfig(Json::ParseFile(folder + "config.json"))),
        checkpoint(Checkpoint::Open(folder)) {}

  std::shared_ptr<WeightStore> Weights() const {
    return std::make_shared<WeightStore>(WeightStore::Source{
        .view = [this](const std::string& name) { return checkpoint.View(name); }, .release = {}});
  }

  std::string folder;
  Json arrays;
  Pix2StructConfig config;
  Checkpoint checkpoint;
};

// Rows of real patches: what stands in padding is free.
void ExpectWithin(std::span<const float> found, std::span<const float> expected,
                  std::span<const float> mask, const Json& tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  const size_t width = found.size() / mask.size();
  double largest = 0, relative = 0, count = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (mask[i / width] == 0.0f) continue;
    const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
    largest = std::max(largest, difference);
    relative += difference / (std::abs(expected[i]) + 1e-3);
    ++count;
  }
  EXPECT_LE(largest, tolerance.GetNumber("max_abs"));
  EXPECT_LE(relative / count, tolerance.GetNumber("mre"));
}

void ExpectGolden(const Golden& golden, const Backend& backend) {
  const auto program = Program::Compile(Pix2StructEncoderGraph(golden.config), golden.Weights(),
                                        {.backend = &backend});
  const Tensor patches = ReadNpy(golden.folder + "flattened_patches.npy");
  const Tensor mask = ToFloat32(ReadNpy(golden.folder + "attention_mask.npy").view());
  const int64_t batch = patches.shape()[0], count = patches.shape()[1];
  GoldenTaps taps;
  Context().Run(*program->Bind({{"batch", batch}, {"patches", count}}),
                {{"flattened_patches", patches.view()}, {"attention_mask", mask.view()}},
                {.taps = &taps});
  const Tensor hidden = ReadNpy(golden.folder + "encoder_hidden.npy");
  const int64_t layers = hidden.shape()[0];
  ASSERT_EQ(layers, golden.config.vision.layers + 1);
  const auto each = static_cast<size_t>(hidden.shape().elements() / layers);
  for (int64_t i = 0; i < layers; ++i) {
    const std::string name = "encoder_hidden[" + std::to_string(i) + "]";
    SCOPED_TRACE(name);
    ExpectWithin(taps.taken.at(name).as<float>(),
                 hidden.as<float>().subspan(static_cast<size_t>(i) * each, each), mask.as<float>(),
                 golden.arrays.Get("encoder_hidden").GetObject("tolerance"));
  }
  const Tensor last = ReadNpy(golden.folder + "encoder_last.npy");
  ExpectWithin(taps.taken.at("encoder_last").as<float>(), last.as<float>(), mask.as<float>(),
               golden.arrays.Get("encoder_last").GetObject("tolerance"));
}

class Pix2StructEncoder : public ::testing::TestWithParam<const char*> {};

TEST_P(Pix2StructEncoder, HasTheGoldensValuesOnTheReference) {
  ExpectGolden(Golden(GetParam()), RefBackend());
}

TEST_P(Pix2StructEncoder, HasTheGoldensValuesOnThisCpu) {
  ExpectGolden(Golden(GetParam()), *MakeCpuBackend({}));
}

INSTANTIATE_TEST_SUITE_P(Goldens, Pix2StructEncoder,
                         ::testing::Values("beams", "long_bin", "page_greedy", "pair_masks",
                                           "tied_odd", "vqa_header"),
                         [](const auto& golden) { return std::string(golden.param); });

// The modules' names are those of the published file, so that every weight is found.
TEST(Pix2StructEncoderGraph, NamesItsWeightsAsTheCheckpointDoes) {
  const Golden golden("pair_masks");
  const Graph graph = Pix2StructEncoderGraph(golden.config);
  size_t stored = 0;
  for (const CheckpointTensor& tensor : golden.checkpoint.tensors()) {
    if (!tensor.name.starts_with("encoder.")) continue;
    ++stored;
    EXPECT_NE(graph.Find(tensor.name), kNoValue) << tensor.name;
  }
  EXPECT_EQ(graph.weights().size(), stored);
}

TEST(Pix2StructEncoderGraph, NamesItsValuesAsForwardHooksDo) {
  const Graph graph = Pix2StructEncoderGraph(Golden("page_greedy").config);
  for (const char* name : {"encoder",
                           "encoder.embeddings",
                           "encoder.embeddings.dropout",
                           "encoder.embeddings.patch_projection",
                           "encoder.embeddings.row_embedder",
                           "encoder.embeddings.column_embedder",
                           "encoder.encoder",
                           "encoder.encoder.layer.1",
                           "encoder.encoder.layer.0.pre_attention_layer_norm",
                           "encoder.encoder.layer.0.attention",
                           "encoder.encoder.layer.0.attention.query",
                           "encoder.encoder.layer.0.attention.key",
                           "encoder.encoder.layer.0.attention.value",
                           "encoder.encoder.layer.0.attention.output",
                           "encoder.encoder.layer.0.pre_mlp_layer_norm",
                           "encoder.encoder.layer.0.mlp",
                           "encoder.encoder.layer.0.mlp.wi_0",
                           "encoder.encoder.layer.0.mlp.wi_1",
                           "encoder.encoder.layer.0.mlp.act",
                           "encoder.encoder.layer.0.mlp.dropout",
                           "encoder.encoder.layer.0.mlp.wo",
                           "encoder.layernorm"}) {
    EXPECT_NE(graph.Find(name), kNoValue) << name;
  }
}

}  // namespace
}  // namespace vernier
