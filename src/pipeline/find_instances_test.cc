// The goldens' dense maps to their instances, with the top layer as a plain product.
#include "pipeline/find_instances.h"

#include <algorithm>
#include <functional>

#include "core/coco_mask.h"
#include "io/checkpoint.h"
#include "support/blendmask_golden.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

NamedTensors MapsOf(const BlendMaskGolden& golden) {
  NamedTensors maps;
  maps.emplace("bases", golden.Dump("bases"));
  for (const std::string& level : golden.config.levels) {
    for (const char* name : {"cls_logits.", "bbox_reg.", "ctrness.", "bbox_tower."}) {
      maps.emplace(name + level, golden.Dump(name + level));
    }
  }
  return maps;
}

std::vector<PictureInfo> InfoOf(const BlendMaskGolden& golden) {
  std::vector<PictureInfo> info;
  for (int64_t i = 0; i < golden.pictures(); ++i) {
    const PictureSize size = golden.Size("image_sizes_hw", i);
    const PictureSize network = golden.Size("network_sizes_hw", i);
    info.push_back({.file = "picture " + std::to_string(i),
                    .height = size.height,
                    .width = size.width,
                    .network_height = network.height,
                    .network_width = network.width});
  }
  return info;
}

// The checkpoint's own top layer.
class PlainTopLayer {
 public:
  explicit PlainTopLayer(const BlendMaskGolden& golden)
      : checkpoint_(Checkpoint::Open(golden.folder + "/" +
                                     golden.notes.Get("weights").items()[0].AsString())) {
    weight_ = ToFloat32(checkpoint_.View("top_layer.weight"));
    bias_ = ToFloat32(checkpoint_.View("top_layer.bias"));
  }

  Tensor operator()(const Tensor& windows) const {
    const int64_t rows = windows.shape()[0], depth = windows.shape()[1];
    const int64_t out = bias_.shape().elements();
    Tensor result(DType::kF32, {rows, out});
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t c = 0; c < out; ++c) {
        double sum = bias_.as<float>()[static_cast<size_t>(c)];
        for (int64_t k = 0; k < depth; ++k) {
          sum += static_cast<double>(windows.as<float>()[static_cast<size_t>(row * depth + k)]) *
                 weight_.as<float>()[static_cast<size_t>(c * depth + k)];
        }
        result.as<float>()[static_cast<size_t>(row * out + c)] = static_cast<float>(sum);
      }
    }
    return result;
  }

 private:
  Checkpoint checkpoint_;
  Tensor weight_, bias_;
};

TEST(FindInstances, GivesTheGoldensInstances) {
  int compared = 0;
  for (const std::string& name : BlendMaskGoldenNames()) {
    const BlendMaskGolden golden(name);
    if (!golden.Has("dump/bases")) continue;
    SCOPED_TRACE(name);
    const NamedTensors maps = MapsOf(golden);
    const std::vector<PictureInfo> pictures = InfoOf(golden);
    const PlainTopLayer top(golden);
    const std::vector<PictureInstances> found =
        FindInstances({golden.config, maps, pictures, {}, 2}, std::ref(top));
    ASSERT_EQ(std::ssize(found), golden.pictures());
    const Json expected = Json::ParseFile(golden.folder + "/instances.json");
    size_t at = 0;
    for (int64_t picture = 0; picture < golden.pictures(); ++picture) {
      const Tensor unsure = golden.Array("det/" + std::to_string(picture) + "_undecided");
      for (const Instance& instance : found[static_cast<size_t>(picture)].instances) {
        ASSERT_LT(at, expected.size());
        const Json& row = expected.items()[at++];
        EXPECT_EQ(row.GetInt("image_id"), picture);
        EXPECT_EQ(row.GetInt("category_id"), instance.category);
        EXPECT_NEAR(row.GetNumber("score"), instance.score, golden.Tolerance(picture, "scores"));
        const std::vector<double> box = row.GetNumbers("bbox");
        const double tolerance = 4 * golden.Tolerance(picture, "boxes");
        EXPECT_NEAR(box[0], instance.box[0], tolerance);
        EXPECT_NEAR(box[3], instance.box[3] - instance.box[1], tolerance);
        const Json& mask = row.GetObject("segmentation");
        const RunLengths reference = ParseCompressedText(mask.GetString("counts"),
                                                         instance.mask.height, instance.mask.width);
        EXPECT_GT(MaskOverlap(instance.mask, reference, false), 0.5);
        ++compared;
      }
    }
    EXPECT_EQ(at, expected.size());
  }
  EXPECT_GT(compared, 40);
}

struct Small {
  Small() : golden("lite_bn_shared"), maps(MapsOf(golden)), pictures(InfoOf(golden)), top(golden) {}

  std::vector<Instance> Find(const DetectionRequest& request) const {
    return FindInstances({golden.config, maps, pictures, request, 1}, std::ref(top))[0].instances;
  }

  BlendMaskGolden golden;
  NamedTensors maps;
  std::vector<PictureInfo> pictures;
  PlainTopLayer top;
};

TEST(FindInstances, LeavesOutWhatIsNotWanted) {
  const Small small;
  const std::vector<Instance> all = small.Find({});
  ASSERT_GT(all.size(), 3u);
  EXPECT_EQ(small.Find({.max_instances = 2}).size(), 2u);
  const std::vector<Instance> best = small.Find({.least_score = all[2].score});
  ASSERT_EQ(best.size(), 3u);
  EXPECT_EQ(best[2].mask.counts, all[2].mask.counts);
}

TEST(FindInstances, TakesTheInputForThePictureWhereNoneIsKnown) {
  Small small;
  small.pictures.clear();
  const auto found =
      FindInstances({small.golden.config, small.maps, {}, {}, 1}, std::ref(small.top));
  EXPECT_EQ(found[0].height, 64);
  EXPECT_EQ(found[0].width, 96);
}

TEST(FindInstances, SizesThePictureAsItIsSeenUpright) {
  Small small;
  small.pictures[0].exif_orientation = 6;
  const auto found =
      FindInstances({small.golden.config, small.maps, small.pictures, {}, 1}, std::ref(small.top));
  EXPECT_EQ(found[0].height, small.pictures[0].width);
  EXPECT_EQ(found[0].width, small.pictures[0].height);
}

TEST(FindInstances, SaysWhichOutputIsMissing) {
  Small small;
  small.maps.erase("ctrness.p5");
  try {
    small.Find({});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("there is no output ctrness.p5"));
  }
  try {
    const std::vector<PictureInfo> two(2);
    FindInstances({small.golden.config, small.maps, two, {}, 1}, std::ref(small.top));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "2 pictures are described, and the run had 1");
  }
}

}  // namespace
}  // namespace vernier
