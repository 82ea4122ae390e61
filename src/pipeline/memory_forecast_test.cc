#include "pipeline/memory_forecast.h"

#include <map>

#include "backends/cpu/backend.h"
#include "core/cpu_features.h"
#include "io/npy.h"
#include "pipeline/checkpoint_weights.h"
#include "pipeline/loaded_model.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

const std::string kFolder = std::string(VERNIER_TEST_DATA) + "/goldens/paddleocr_vl/two_images";

NamedTensors Inputs() {
  NamedTensors inputs;
  for (const char* name : {kInputIds, kInputMask, kPixelValues, kImageGrids}) {
    inputs.emplace(name, ReadNpy(kFolder + "/" + name + ".npy"));
  }
  return inputs;
}

std::string RefusalOf(const std::function<void()>& action) {
  try {
    action();
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kResource);
    return error.what();
  }
}

TEST(MemoryForecast, CountsPatchesTokensAndCachesOfARun) {
  const CompiledModel compiled({.model = kFolder, .threads = 2});
  const NamedTensors inputs = Inputs();
  const CausalRows rows = ReadCausalRows(inputs, compiled.model().causal->places);
  GenerationOptions options;
  options.max_new_tokens = 20;
  const MemoryForecast forecast = ForecastAnswers(compiled, rows, inputs, options);
  EXPECT_EQ(forecast.patches, 48);
  EXPECT_EQ(forecast.picture_tokens, 12);
  // 42 + 20 tokens fill one block of 64; two layers keep keys and values of 2 heads of 16.
  EXPECT_EQ(forecast.cache_bytes, 64 * 2 * 2 * 2 * 16 * 4);
  EXPECT_GT(forecast.encoder_bytes, 0);
  EXPECT_GT(forecast.decoder_bytes, 0);
  options.num_beams = 3;
  EXPECT_EQ(ForecastAnswers(compiled, rows, inputs, options).cache_bytes, 3 * forecast.cache_bytes);
}

TEST(MemoryForecast, SaysWhatIsNeededAndWhatToLower) {
  MemoryForecast forecast{.encoder_bytes = int64_t{3} << 30,
                          .decoder_bytes = int64_t{1} << 30,
                          .cache_bytes = 1 << 20,
                          .patches = 14400,
                          .picture_tokens = 3600,
                          .batch = 2};
  EXPECT_NO_THROW(RequireMemory(forecast, std::nullopt));
  EXPECT_NO_THROW(RequireMemory(forecast, int64_t{8} << 30));
  EXPECT_THAT(RefusalOf([&] { RequireMemory(forecast, int64_t{2} << 30); }),
              AllOf(HasSubstr("needs 4.00 GiB more memory (3.00 GiB for pictures, 1.00 GiB for "
                              "text, 1.00 MiB for keys and values), and 2.00 GiB is free"),
                    HasSubstr("14400 patches, 3600 image tokens, batch 2"),
                    HasSubstr("lower --max-pixels")));
  forecast.held_bytes = int64_t{3} << 30;
  EXPECT_NO_THROW(RequireMemory(forecast, int64_t{2} << 30));
}

TEST(MemoryForecast, RefusesWeightsThatDoNotFit) {
  EXPECT_NO_THROW(RequireMemoryForWeights({4 << 20, 1 << 20, "f32"}, 4 << 20));
  EXPECT_NO_THROW(RequireMemoryForWeights({4 << 20, 1 << 20, "f32"}, std::nullopt));
  const WeightForecast plain{905601648 * int64_t{4}, 905601648, "f32"};
  const std::string refusal = RefusalOf([&] { RequireMemoryForWeights(plain, 1 << 30); });
  EXPECT_THAT(refusal, AllOf(HasSubstr("905601648 parameters need 3.37 GiB as they are packed for "
                                       "f32, and 1.00 GiB is free"),
                             HasSubstr("--dtype bf16"), Not(HasSubstr("--winograd"))));
  const WeightForecast larger{383 << 20, 36 << 20, "f32"};
  EXPECT_THAT(RefusalOf([&] { RequireMemoryForWeights(larger, 300 << 20); }),
              AllOf(HasSubstr("383 MiB"), HasSubstr("--winograd never")));
}

// Winograd's form is larger than the weights that it is made of.
TEST(MemoryForecast, CountsWeightsAsTheyArePacked) {
  const std::string model = std::string(VERNIER_TEST_DATA) + "/goldens/blendmask/lite_gn";
  const ModelFolder folder = OpenModelFolder(model, "");
  const LoadedModel loaded = LoadModel(folder, {.model = model});
  std::map<WinogradUse, size_t> foretold;
  for (const WinogradUse use : {WinogradUse::kNever, WinogradUse::kAlways}) {
    const auto backend = MakeCpuBackend({.isa = Cpu().best(), .winograd = use});
    const auto weights = MakeWeightStore(folder, loaded, 0);
    ProgramOptions options;
    options.backend = backend.get();
    options.before_packing = [&](size_t bytes) { foretold[use] = bytes; };
    const auto program = Program::Compile(loaded.graph, weights, std::move(options));
    EXPECT_EQ(foretold[use], weights->packed_bytes());
  }
  EXPECT_GT(foretold[WinogradUse::kAlways], foretold[WinogradUse::kNever] * 2);
}

}  // namespace
}  // namespace vernier
