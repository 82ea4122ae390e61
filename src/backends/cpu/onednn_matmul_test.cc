// oneDNN on our packed weights, compared with our own kernels on the same bytes.
#include "backends/cpu/onednn_matmul.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "backends/cpu/gemm.h"
#include "core/float_types.h"
#include "core/parallel.h"
#include "vernier/error.h"

namespace vernier {
namespace {

Tensor Random(DType dtype, int64_t rows, int64_t columns, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  Tensor tensor(dtype, Shape{rows, columns});
  for (int64_t i = 0; i < rows * columns; ++i) {
    const auto at = static_cast<size_t>(i);
    if (dtype == DType::kF32) tensor.as<float>()[at] = value(engine);
    if (dtype == DType::kBF16) tensor.as<uint16_t>()[at] = ToBf16(value(engine));
  }
  return tensor;
}

GemmDesc Layer(int64_t m, DType dtype) {
  constexpr int64_t kN = 200, kK = 190;
  return {.m = m,
          .weights = PackedLayoutFor(Cpu().best(), dtype, kN, kK),
          .a = dtype,
          .a_stride = kK,
          .c_stride = kN,
          .bias = true,
          .isa = Cpu().best(),
          .threads = 2};
}

enum class RunsIn { kNoRegion, kRegion };

// The layer's result as fp32; operands are the same for every provider and every `m`.
std::vector<float> RunLayer(const GemmDesc& desc, GemmProvider provider,
                            RunsIn where = RunsIn::kNoRegion) {
  const int64_t n = desc.weights.n, k = desc.weights.k;
  const Tensor a = Random(desc.a, 300, k, 1), w = Random(DType::kF32, n, k, 2);
  const Tensor bias = Random(DType::kF32, 1, n, 3), scale = Random(DType::kF32, 1, n, 4);
  const Tensor residual = Random(DType::kF32, 300, n, 5);
  Tensor packed(DType::kU8, Shape{static_cast<int64_t>(desc.weights.bytes())});
  const PackSource part = {.data = w.data(), .dtype = DType::kF32, .n = n, .row_stride = k};
  PackWeights(desc.weights, std::span(&part, 1), packed.data(), 2);
  const Gemm gemm(desc, provider);
  EXPECT_EQ(gemm.provider(), provider);
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(gemm.scratch_bytes())});
  Tensor c(desc.c, Shape{desc.m, n});
  if (desc.residual_in_place) std::memcpy(c.data(), residual.data(), c.bytes());
  const GemmOperands operands = {.a = a.data(),
                                 .weights = packed.data(),
                                 .c = c.data(),
                                 .bias = bias.as<float>().data(),
                                 .scale = desc.scale ? scale.as<float>().data() : nullptr,
                                 .residual = !desc.residual           ? nullptr
                                             : desc.residual_in_place ? c.as<float>().data()
                                                                      : residual.as<float>().data(),
                                 .scratch = scratch.data()};
  if (where == RunsIn::kNoRegion) {
    gemm.Run(operands);
  } else {
    ParallelWorkers(2, [&](int worker) {
      if (worker == 0) gemm.Run(operands);
    });
  }
  const Tensor result = ToFloat32(c.view());
  return {result.as<float>().begin(), result.as<float>().end()};
}

// Two orders of adding 190 products under 1, and an activation known to 1e-6 on each side.
void ExpectProvidersAgree(const GemmDesc& desc, const char* what) {
  const std::vector<float> ours = RunLayer(desc, GemmProvider::kVernier);
  const std::vector<float> theirs = RunLayer(desc, GemmProvider::kOnednn);
  const double relative = desc.c == DType::kBF16 ? 0x1p-7 : 0x1p-20;
  for (size_t i = 0; i < ours.size(); ++i) {
    ASSERT_NEAR(ours[i], theirs[i], 2e-5 + relative * std::abs(ours[i])) << what << " at " << i;
  }
}

std::string MessageOf(const GemmDesc& desc) {
  try {
    const Gemm gemm(desc, GemmProvider::kOnednn);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    return error.what();
  }
  return "no error";
}

class OnednnMatmulTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasOnednn()) GTEST_SKIP() << "this build has no oneDNN";
    if (!Cpu().Has(Isa::kAvx512)) GTEST_SKIP() << "oneDNN is used from AVX-512 on only";
  }
  std::vector<DType> Types() const {
    if (Cpu().Has(Isa::kAvx512Bf16)) return {DType::kF32, DType::kBF16};
    return {DType::kF32};
  }
};

TEST_F(OnednnMatmulTest, AgreesWithOurKernelsWithEverythingThatCanFollow) {
  for (DType dtype : Types()) {
    for (Activation activation :
         {Activation::kNone, Activation::kGeluErf, Activation::kGeluTanh, Activation::kQuickGelu,
          Activation::kRelu, Activation::kTanh, Activation::kSilu}) {
      GemmDesc desc = Layer(37, dtype);
      desc.activation = activation;
      ExpectProvidersAgree(desc, "activation");
      desc.scale = true;
      ExpectProvidersAgree(desc, "activation and scale");
      desc.residual = true;
      desc.residual_stride = desc.weights.n;
      ExpectProvidersAgree(desc, "activation, scale and residual");
      desc.residual_in_place = true;
      ExpectProvidersAgree(desc, "activation, scale and residual in place");
    }
    GemmDesc narrow = Layer(37, dtype);
    narrow.c = dtype;
    ExpectProvidersAgree(narrow, "output of the weights' type");
  }
}

TEST_F(OnednnMatmulTest, GivesARowTheSameBitsInAnyBatch) {
  for (DType dtype : Types()) {
    const std::vector<float> batch = RunLayer(Layer(197, dtype), GemmProvider::kOnednn);
    const std::vector<float> alone = RunLayer(Layer(1, dtype), GemmProvider::kOnednn);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), batch.begin())) << Name(dtype);
  }
}

// Within a region OpenMP gives one thread, however many are asked for.
TEST_F(OnednnMatmulTest, GivesTheSameBitsOnAnyNumberOfThreadsAndWithinARegion) {
  for (DType dtype : Types()) {
    for (int64_t m : {1, 5, 197}) {
      GemmDesc desc = Layer(m, dtype);
      desc.scale = desc.residual = true;
      desc.residual_stride = desc.weights.n;
      desc.threads = 1;
      const std::vector<float> expected = RunLayer(desc, GemmProvider::kOnednn);
      for (int threads : {1, 2, 3, 4, 7}) {
        desc.threads = threads;
        EXPECT_TRUE(RunLayer(desc, GemmProvider::kOnednn) == expected) << m << " on " << threads;
        EXPECT_TRUE(RunLayer(desc, GemmProvider::kOnednn, RunsIn::kRegion) == expected)
            << m << " on " << threads << " within a region";
      }
    }
  }
}

TEST_F(OnednnMatmulTest, SaysWhenOneDnnHasNoKernel) {
  GemmDesc mixed = Layer(4, DType::kBF16);
  mixed.a = DType::kF32;
  EXPECT_EQ(MessageOf(mixed),
            "oneDNN has no kernel for a bf16 matrix product of 4 x 190 by 190 x 200 (leave the "
            "choice of provider to vernier, which has a kernel of its own)");
}

TEST_F(OnednnMatmulTest, RefusesOneDnnsReferenceKernel) {
  GemmDesc strided = Layer(4, DType::kF32);
  strided.a_stride = 200;
  EXPECT_EQ(MessageOf(strided),
            "oneDNN has only its reference kernel (ref:any) for a f32 matrix product of 4 x 190 by "
            "190 x 200 (leave the choice of provider to vernier, which has a kernel of its own)");
}

TEST_F(OnednnMatmulTest, IsNotChosenWhereOurProductsMeasuredFaster) {
  if (Cpu().best() != Isa::kAvx512Bf16) GTEST_SKIP() << "not the best instruction set here";
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    EXPECT_EQ(FasterGemmProvider(Layer(197, dtype)), GemmProvider::kVernier);
  }
}

TEST_F(OnednnMatmulTest, IsChosenElsewhereOnlyWhereItCanRun) {
  if (Cpu().best() == Isa::kAvx512Bf16) GTEST_SKIP() << "our products measured faster here";
  GemmDesc desc = Layer(197, DType::kF32);
  EXPECT_EQ(FasterGemmProvider(desc), GemmProvider::kOnednn);
  desc.residual = true;
  EXPECT_EQ(FasterGemmProvider(desc), GemmProvider::kVernier);
  desc.residual_in_place = true;
  EXPECT_EQ(FasterGemmProvider(desc), GemmProvider::kOnednn);
  desc.isa = Isa::kScalar;
  EXPECT_EQ(FasterGemmProvider(desc), GemmProvider::kVernier);
  desc = Layer(197, DType::kF32);
  desc.a_stride = 200;
  EXPECT_EQ(FasterGemmProvider(desc), GemmProvider::kVernier);
  desc = Layer(0, DType::kF32);
  EXPECT_EQ(FasterGemmProvider(desc), GemmProvider::kVernier);
}

TEST(OnednnAbsent, SaysThatTheBuildLacksIt) {
  if (HasOnednn()) GTEST_SKIP() << "this build has oneDNN";
  EXPECT_EQ(
      MessageOf(Layer(4, DType::kF32)),
      "this build of vernier has no oneDNN (configure with -DVERNIER_ONEDNN=ON (x86-64 only), "
      "or use vernier's own kernels)");
}

}  // namespace
}  // namespace vernier
