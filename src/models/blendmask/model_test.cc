// The network against every golden's dumps, on the reference and on this CPU, values seen through
// taps of the plan that runs.
#include "models/blendmask/model.h"

#include <cmath>
#include <map>

#include <fmt/format.h>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "io/checkpoint.h"
#include "io/yacs.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "runtime/program.h"
#include "support/blendmask_golden.h"

namespace vernier {
namespace {

// Keeps the values that a case lists as dumps.
class DumpTaps final : public TapSink {
 public:
  explicit DumpTaps(const Json& dumps) : dumps_(dumps) {}

  bool Wants(const ValueInfo& value) const override {
    return dumps_.Has(value.name) ||
           std::ranges::any_of(value.aliases, [&](auto& alias) { return dumps_.Has(alias); });
  }

  void Take(const TapRecord& record, const TensorView& tensor) override {
    if (dumps_.Has(record.name)) taken.emplace(record.name, Tensor::CopyOf(tensor));
    for (const std::string& alias : record.aliases) {
      if (dumps_.Has(alias)) taken.emplace(alias, Tensor::CopyOf(tensor));
    }
  }

  NamedTensors taken;

 private:
  const Json& dumps_;
};

struct NetworkGolden : BlendMaskGolden {
  explicit NetworkGolden(const std::string& name)
      : BlendMaskGolden(name),
        checkpoint(Checkpoint::Open(folder + "/" + notes.GetStrings("weights").back())) {}

  std::shared_ptr<WeightStore> Weights() const {
    return std::make_shared<WeightStore>(WeightStore::Source{
        .view = [this](const std::string& weight) { return checkpoint.View(weight); },
        .release = {}});
  }

  // The resized pictures, normalised and padded with zeros to the golden's size.
  Tensor Input() const {
    const Json& inputs = notes.GetObject("inputs");
    const std::vector<int64_t> padded = inputs.GetInts("padded_hw");
    const auto files = inputs.GetStrings("resized_u8_hwc_model_channel_order");
    Tensor batch(DType::kF32, {static_cast<int64_t>(files.size()), 3, padded[0], padded[1]});
    std::ranges::fill(batch.as<float>(), 0.0f);
    for (size_t picture = 0; picture < files.size(); ++picture) {
      const Tensor pixels = ReadNpy(folder + "/" + files[picture]);
      const int64_t height = pixels.shape()[0], width = pixels.shape()[1];
      for (int64_t i = 0; i < height * width * 3; ++i) {
        const auto channel = static_cast<size_t>(i % 3);
        const int64_t row = i / 3 / width, column = i / 3 % width;
        const int64_t plane = static_cast<int64_t>(picture * 3 + channel);
        batch.as<float>()[static_cast<size_t>((plane * padded[0] + row) * padded[1] + column)] =
            (static_cast<float>(pixels.as<uint8_t>()[static_cast<size_t>(i)]) -
             config.pixel_mean[channel]) /
            config.pixel_std[channel];
      }
    }
    return batch;
  }

  NamedTensors Run(const Program& program, TapSink* taps) const {
    const Tensor input = Input();
    const Shape& shape = input.shape();
    return Context().Run(
        *program.Bind({{"batch", shape[0]}, {"height", shape[2]}, {"width", shape[3]}}),
        {{"input", input.view()}}, {.taps = taps});
  }

  Checkpoint checkpoint;
};

void ExpectWithin(const Tensor& found, const Tensor& expected, const Json& tolerance) {
  ASSERT_EQ(found.shape().ToString(), expected.shape().ToString());
  double largest = 0, relative = 0;
  for (size_t i = 0; i < found.as<float>().size(); ++i) {
    const double reference = expected.as<float>()[i];
    const double difference = std::abs(found.as<float>()[i] - reference);
    largest = std::max(largest, difference);
    relative += difference / (std::abs(reference) + 1e-3);
  }
  EXPECT_LE(largest, tolerance.GetNumber("max_abs"));
  EXPECT_LE(relative / static_cast<double>(found.as<float>().size()), tolerance.GetNumber("mre"));
}

// A dump that is too large to be stored has its shape and the mean of its magnitudes on record.
void ExpectOnRecord(const Tensor& found, const Json& dump) {
  EXPECT_EQ(found.shape(), Shape(std::span<const int64_t>(dump.GetInts("shape"))));
  double sum = 0;
  for (float value : found.as<float>()) sum += std::abs(value);
  const double mean = sum / static_cast<double>(found.as<float>().size());
  EXPECT_NEAR(mean, dump.GetNumber("abs_mean"),
              dump.GetNumber("abs_mean") * 1e-5 + dump.GetObject("tolerance").GetNumber("max_abs"));
}

void ExpectGolden(const NetworkGolden& golden, const Backend& backend,
                  const std::vector<std::string>& disabled_passes = {}) {
  const Json& dumps = golden.notes.GetObject("dumps");
  const auto program =
      Program::Compile(BlendMaskGraph(golden.config), golden.Weights(),
                       {.backend = &backend, .disabled_passes = disabled_passes, .threads = 1});
  DumpTaps taps(dumps);
  golden.Run(*program, &taps);
  for (const JsonMember& dump : dumps.members()) {
    SCOPED_TRACE(dump.key);
    ASSERT_TRUE(taps.taken.contains(dump.key));
    const Tensor& found = taps.taken.at(dump.key);
    if (const std::string file = dump.value.GetString("file", ""); !file.empty()) {
      ExpectWithin(found, ReadNpy(golden.folder + "/" + file), dump.value.GetObject("tolerance"));
    } else {
      ExpectOnRecord(found, dump.value);
    }
  }
}

// Weights with gains and shifts, without the running statistics of batch norms.
int64_t Parameters(const std::string& config) {
  const Graph graph =
      BlendMaskGraph(ParseBlendMaskConfig(ReadYacs(VERNIER_SOURCE_DIR "/bench/configs/" + config)));
  int64_t sum = 0;
  for (int id : graph.weights()) {
    const ValueInfo& weight = graph.value(id);
    const bool statistic =
        weight.name.ends_with(".running_mean") || weight.name.ends_with(".running_var");
    if (!statistic) sum += weight.stored_shape.elements();
  }
  return sum;
}

// Counted on AdelaiDet's own modules, without the head of the training loss.
TEST(BlendMaskParameters, AreAsManyAsThePublishedModelsHave) {
  EXPECT_EQ(Parameters("blendmask_r50_1x/R_50_1x.yaml"), 35'581'353);
  EXPECT_EQ(Parameters("blendmask_lite_gn/config.yaml"), 8'786'441);
  EXPECT_EQ(Parameters("blendmask_lite_bn/config.yaml"), 8'790'537);
}

class BlendMaskNetwork : public ::testing::TestWithParam<const char*> {};

TEST_P(BlendMaskNetwork, HasTheGoldensValuesOnTheReference) {
  ExpectGolden(NetworkGolden(GetParam()), RefBackend());
}

TEST_P(BlendMaskNetwork, HasTheGoldensValuesOnThisCpu) {
  ExpectGolden(NetworkGolden(GetParam()), *MakeCpuBackend({}));
}

TEST_P(BlendMaskNetwork, HasTheGoldensValuesByWinogradsForm) {
  ExpectGolden(NetworkGolden(GetParam()), *MakeCpuBackend({.winograd = WinogradUse::kAlways}));
}

TEST_P(BlendMaskNetwork, HasTheGoldensValuesWithEveryNodeByItself) {
  ExpectGolden(NetworkGolden(GetParam()), *MakeCpuBackend({}),
               {"fold_batch_norm", "fuse_convolutions"});
}

INSTANTIATE_TEST_SUITE_P(Goldens, BlendMaskNetwork,
                         ::testing::Values("r50_gn", "r50_550_share", "rt_r50_bn_batch2",
                                           "rt_dla34", "lite_gn", "lite_bn", "lite_bn_shared"),
                         [](const auto& golden) { return std::string(golden.param); });

}  // namespace
}  // namespace vernier
