#include "pipeline/memory_forecast.h"

#include "io/npy.h"
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
  EXPECT_NO_THROW(RequireMemoryForWeights(1 << 20, DType::kF32, 4 << 20));
  EXPECT_THAT(RefusalOf([] { RequireMemoryForWeights(905601648, DType::kF32, 1 << 30); }),
              AllOf(HasSubstr("905601648 parameters need 3.37 GiB in f32, and 1.00 GiB is free"),
                    HasSubstr("--dtype bf16")));
}

}  // namespace
}  // namespace vernier
