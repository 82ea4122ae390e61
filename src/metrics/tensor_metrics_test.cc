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

}  // namespace
}  // namespace vernier
