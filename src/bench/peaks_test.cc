#include "bench/peaks.h"

#include "io/json.h"

namespace vernier {
namespace {

TEST(Peaks, AreMeasuredOnEveryInstructionSetHere) {
  for (const Isa isa : Cpu().isas) {
    const Peaks peaks = MeasurePeaks(2, isa);
    EXPECT_GT(peaks.gflops("f32"), 0) << Name(isa);
    EXPECT_GT(peaks.gflops("bf16"), 0) << Name(isa);
    EXPECT_GT(peaks.gb_per_s, 0);
    EXPECT_EQ(peaks.isa, Name(isa));
  }
}

TEST(MemoryReader, ReadsOnAsOftenAsAsked) {
  MemoryReader reader(2);
  for (int i = 0; i < 3; ++i) EXPECT_GT(reader.GbPerSecond(), 0);
}

TEST(Peaks, AreWrittenAsJson) {
  JsonWriter writer;
  WriteJson(Peaks{.threads = 2, .isa = "avx2", .f32_gflops = 1, .bf16_gflops = 2, .gb_per_s = 3},
            writer);
  const Json json = Json::Parse(writer.Take(), "peaks");
  EXPECT_EQ(json.GetInt("threads"), 2);
  EXPECT_EQ(json.GetNumber("bf16_gflops"), 2);
}

}  // namespace
}  // namespace vernier
