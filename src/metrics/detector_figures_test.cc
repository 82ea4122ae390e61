#include "metrics/detector_figures.h"

#include "io/json.h"
#include "io/npy.h"

namespace vernier {
namespace {

const std::string kOps = VERNIER_TEST_DATA "/goldens/blendmask/ops/";

struct Side {
  explicit Side(const std::string& name) {
    for (const char* level : {"p3", "p4"}) {
      for (const char* map : {"cls_logits.", "bbox_reg.", "ctrness."}) {
        maps.push_back(ReadNpy(kOps + "metrics_" + name + "_" + map + level + ".npy"));
      }
    }
    for (size_t i = 0; i < maps.size(); i += 3) {
      levels.push_back({maps[i].view(), maps[i + 1].view(), maps[i + 2].view()});
    }
  }

  std::vector<Tensor> maps;
  std::vector<DetectorLevel> levels;
};

TEST(MeasureDetector, GivesTheWorkedExamplesFigures) {
  const Json note = Json::ParseFile(kOps + "case.json").GetObject("parts").GetObject("metrics");
  const Side test("test"), reference("ref");
  const DetectorFigures figures =
      MeasureDetector(test.levels, reference.levels, note.GetInt("top_k"));
  const Json& expected = note.GetObject("expected");
  constexpr double kTolerance = 1e-9;
  EXPECT_NEAR(figures.distances.mean_abs, expected.GetNumber("box_absolute_error"), kTolerance);
  EXPECT_NEAR(figures.scores.mean_rel, expected.GetNumber("score_relative_error"), kTolerance);
  EXPECT_NEAR(figures.classes.top1, expected.GetNumber("class_accuracy"), kTolerance);
  EXPECT_NEAR(figures.classes.top5, expected.GetNumber("top5_class_overlap"), kTolerance);
}

// The other two figures are a dump's ordinary mean relative errors.
TEST(MeasurePair, GivesTheWorkedExamplesLayerErrors) {
  const Json note = Json::ParseFile(kOps + "case.json").GetObject("parts").GetObject("metrics");
  double sum = 0, largest = 0;
  for (const std::string& layer : note.GetStrings("layers")) {
    const Tensor test = ReadNpy(kOps + "metrics_test_" + layer + ".npy");
    const Tensor reference = ReadNpy(kOps + "metrics_ref_" + layer + ".npy");
    const double mre = MeasurePair(test.view(), reference.view()).mre;
    sum += mre;
    largest = std::max(largest, mre);
  }
  const Json& expected = note.GetObject("expected");
  EXPECT_NEAR(sum / static_cast<double>(note.GetStrings("layers").size()),
              expected.GetNumber("tensor_mean_relative_error"), 1e-9);
  EXPECT_NEAR(largest, expected.GetNumber("tensor_max_layer_error"), 1e-9);
}

}  // namespace
}  // namespace vernier
