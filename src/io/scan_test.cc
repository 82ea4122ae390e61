#include "io/scan.h"

#include <cmath>
#include <limits>

#include "io/checkpoint.h"
#include "io/safetensors.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

// A tensor of zeros with these bit patterns at odd places.
template <typename Bits>
NonFinite CountWith(DType dtype, const std::vector<Bits>& patterns) {
  Tensor tensor = Tensor::Zeros(dtype, Shape{40'001});
  for (size_t i = 0; i < patterns.size(); ++i) tensor.as<Bits>()[i * 7919 + 1] = patterns[i];
  return CountNonFinite(tensor.view());
}

TEST(NonFinite, IsCountedInEveryFloatFormat) {
  const auto expect = [](const NonFinite& count, int64_t nan, int64_t inf) {
    EXPECT_EQ(count.nan, nan);
    EXPECT_EQ(count.inf, inf);
  };
  expect(CountWith<uint64_t>(DType::kF64, {0x7ff0000000000000, 0xfff8000000000000, 1}), 1, 1);
  expect(CountWith<uint32_t>(DType::kF32, {0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff}), 1, 2);
  expect(CountWith<uint16_t>(DType::kF16, {0x7c00, 0x7e00, 0xfe00, 0x7bff}), 2, 1);
  expect(CountWith<uint16_t>(DType::kBF16, {0x7f80, 0x7fc0, 0x7f7f}), 1, 1);
  expect(CountWith<uint8_t>(DType::kF8E5M2, {0x7c, 0xfd, 0x7b}), 1, 1);
  expect(CountWith<uint8_t>(DType::kF8E4M3, {0x7f, 0xff, 0x7e}), 2, 0);
  expect(CountWith<uint8_t>(DType::kU8, {0xff}), 0, 0);
}

TEST(NonFinite, IsFoundByTensorNameOnAnyNumberOfThreads) {
  const ScratchFolder folder;
  const std::string path = folder.path("model.safetensors");
  const int64_t large = (1 << 18) * 2 + 5;
  WriteSafetensors(path,
                   {{"good", DType::kF32, Shape{100}},
                    {"bad", DType::kF32, Shape{large}},
                    {"steps", DType::kI64, Shape{1}}},
                   [](const TensorToWrite& tensor) {
                     Tensor t = Tensor::Zeros(tensor.dtype, tensor.shape);
                     if (tensor.name == "bad") {
                       t.as<float>()[3] = std::nanf("");
                       t.as<float>().back() = std::numeric_limits<float>::infinity();
                     }
                     return t;
                   });
  const Checkpoint checkpoint = Checkpoint::Open(path);
  for (int threads : {1, 2}) {
    const auto found = FindNonFinite(checkpoint, threads);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, "bad");
    EXPECT_EQ(found[0].count.nan, 1);
    EXPECT_EQ(found[0].count.inf, 1);
  }
}

}  // namespace
}  // namespace vernier
