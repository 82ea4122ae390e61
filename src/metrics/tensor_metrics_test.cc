#include "metrics/tensor_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "io/json.h"

namespace vernier {
namespace {

TensorView ViewOf(const std::vector<float>& values) {
  return {values.data(), DType::kF32, {static_cast<int64_t>(values.size())}};
}

std::vector<float> Floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Relative to the figure's size where it has one: sums of a few hundred values in fp64. Only the
// divergence has a series of its own (kernels/cpu/pair_sums_impl.h).
void ExpectFigure(const Json& figures, const char* key, double value, double relative = 1e-12) {
  const double expected = figures.GetNumber(key);
  EXPECT_NEAR(value, expected, relative * std::abs(expected) + 1e-15) << key;
}

TEST(TensorMetrics, AgreeWithNumpy) {
  const Json golden = Json::ParseFile(VERNIER_TEST_DATA "/metrics/tensor_metrics.json");
  const PairTolerance tolerance = {golden.GetNumber("atol"), golden.GetNumber("rtol")};
  for (const Json& each : golden.GetArray("cases").items()) {
    SCOPED_TRACE(each.GetString("name"));
    const std::vector<float> candidate = Floats(each.GetNumbers("candidate"));
    const std::vector<float> reference = Floats(each.GetNumbers("reference"));
    const Json& figures = each.GetObject("figures");
    const TensorMetrics m =
        MeasurePair(ViewOf(candidate), ViewOf(reference), {.tolerance = tolerance});
    ExpectFigure(figures, "max_abs", m.max_abs);
    EXPECT_EQ(m.max_abs_at, figures.GetNumber("max_abs_at"));
    ExpectFigure(figures, "mean_abs", m.mean_abs);
    ExpectFigure(figures, "max_rel", m.max_rel);
    ExpectFigure(figures, "mean_rel", m.mean_rel);
    ExpectFigure(figures, "sum_rel", m.sum_rel);
    ExpectFigure(figures, "mre", m.mre);
    ExpectFigure(figures, "cosine", m.cosine);
    ExpectFigure(figures, "mse", m.mse);
    ExpectFigure(figures, "rmse", m.rmse);
    ExpectFigure(figures, "rel_euclidean", m.rel_euclidean);
    ExpectFigure(figures, "kl", m.kl, 1e-8);
    ExpectFigure(figures, "psnr_db", m.psnr_db);
    ExpectFigure(figures, "within", m.within);
    ExpectFigure(figures, "needed_atol", m.needed_atol);
    ExpectFigure(figures, "candidate_mean", m.candidate_mean);
    ExpectFigure(figures, "candidate_std", m.candidate_std, 1e-10);
    ExpectFigure(figures, "reference_mean", m.reference_mean);
    ExpectFigure(figures, "reference_std", m.reference_std, 1e-10);
  }
}

TEST(TensorMetrics, AgreeWithThePublishedProtocolsWorkedExample) {
  const Json golden = Json::ParseFile(VERNIER_TEST_DATA "/metrics/paddleocr_vl_metrics_cases.json");
  std::vector<float> candidate;
  std::vector<float> reference;
  for (const auto& [key, values] : {std::pair{"x", &candidate}, std::pair{"ref", &reference}}) {
    for (const Json& row : golden.GetArray(key).items()) {
      for (const Json& value : row.items()) {
        values->push_back(static_cast<float>(value.AsNumber()));
      }
    }
  }
  const TensorMetrics metrics = MeasurePair(ViewOf(candidate), ViewOf(reference));
  EXPECT_NEAR(metrics.max_abs, golden.GetNumber("max_abs"), 1e-12);
  EXPECT_NEAR(metrics.mre, golden.GetNumber("mre_eps_1e-3"), 1e-12);
  EXPECT_NEAR(metrics.cosine, golden.GetNumber("cosine_flat"), 1e-12);
}

TEST(TensorMetrics, OfEqualTensorsAreExact) {
  const std::vector<float> values = {1.0f, -2.0f, 0.0f, 3.5f};
  const TensorMetrics metrics = MeasurePair(ViewOf(values), ViewOf(values));
  EXPECT_EQ(metrics.max_abs, 0);
  EXPECT_EQ(metrics.max_abs_at, -1);
  EXPECT_EQ(metrics.mre, 0);
  EXPECT_EQ(metrics.kl, 0);
  EXPECT_EQ(metrics.cosine, 1);
  EXPECT_EQ(metrics.within, 1);
  EXPECT_EQ(metrics.psnr_db, std::numeric_limits<double>::infinity());
}

TEST(TensorMetrics, DoNotDependOnChunksOrThreads) {
  std::vector<float> candidate;
  std::vector<float> reference;
  for (int i = 0; i < 5 * MetricAccumulator::kBlock + 77; ++i) {
    reference.push_back(std::sin(0.37f * static_cast<float>(i)));
    candidate.push_back(reference.back() + 1e-4f * std::cos(1.1f * static_cast<float>(i)));
  }
  const auto count = static_cast<int64_t>(reference.size());
  const TensorMetrics whole = MeasurePair(ViewOf(candidate), ViewOf(reference), {.threads = 1});
  MetricAccumulator chunked({.threads = 2});
  const auto chunk = [&](const std::vector<float>& values, int64_t first) {
    const int64_t length = std::min(2 * MetricAccumulator::kBlock, count - first);
    return TensorView{values.data() + first, DType::kF32, {length}};
  };
  for (int64_t at = 0; at < count; at += 2 * MetricAccumulator::kBlock) {
    chunked.Add(chunk(candidate, at), chunk(reference, at));
  }
  for (int64_t at = 0; at < count; at += 2 * MetricAccumulator::kBlock) {
    chunked.AddDivergence(chunk(candidate, at), chunk(reference, at));
  }
  const TensorMetrics metrics = chunked.Finish();
  EXPECT_EQ(metrics.mre, whole.mre);
  EXPECT_EQ(metrics.cosine, whole.cosine);
  EXPECT_EQ(metrics.kl, whole.kl);
  EXPECT_EQ(metrics.max_abs_at, whole.max_abs_at);
}

TEST(TensorMetrics, CountWhatIsNotANumberAndMeasureTheRest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> reference = {1, 2, -infinity, infinity, 5, nan};
  const std::vector<float> candidate = {1, nan, -infinity, 4, 5.5f, nan};
  const TensorMetrics metrics = MeasurePair(ViewOf(candidate), ViewOf(reference));
  EXPECT_EQ(metrics.finite_pairs, 2);
  EXPECT_EQ(metrics.candidate.nan, 2);
  EXPECT_EQ(metrics.candidate.inf, 1);
  EXPECT_EQ(metrics.reference.nan, 1);
  EXPECT_EQ(metrics.reference.inf, 2);
  EXPECT_EQ(metrics.equal_infinities, 1);
  EXPECT_FALSE(metrics.comparable());
  EXPECT_DOUBLE_EQ(metrics.max_abs, 0.5);
}

TEST(TensorMetrics, OfIntegersBeyondAFloatsMantissaAreExact) {
  const std::vector<int64_t> reference = {16777217, 3};
  const std::vector<int64_t> candidate = {16777216, 3};
  const TensorMetrics metrics =
      MeasurePair({candidate.data(), DType::kI64, {2}}, {reference.data(), DType::kI64, {2}});
  EXPECT_EQ(metrics.max_abs, 1);
  EXPECT_EQ(metrics.max_abs_at, 0);
}

TEST(TensorMetrics, OfNothingAreUndefined) {
  const TensorMetrics metrics =
      MeasurePair({nullptr, DType::kF32, {0}}, {nullptr, DType::kF32, {0}});
  EXPECT_EQ(metrics.elements, 0);
  EXPECT_TRUE(std::isnan(metrics.mre));
  EXPECT_TRUE(metrics.comparable());
}

}  // namespace
}  // namespace vernier
