// Against pycocotools; tests/data/coco_ap/polygons.json is made by tools/coco_polygons.py.
#include "metrics/coco_polygon.h"

#include "core/coco_mask.h"
#include "io/json.h"

namespace vernier {
namespace {

TEST(MaskOfPolygons, FillsAsPycocotools) {
  const Json goldens = Json::ParseFile(VERNIER_TEST_DATA "/coco_ap/polygons.json");
  ASSERT_GT(goldens.size(), 50u);
  for (const Json& row : goldens.items()) {
    std::vector<std::vector<double>> polygons;
    for (const Json& polygon : row.GetArray("polygons").items()) {
      polygons.emplace_back();
      for (const Json& value : polygon.items()) polygons.back().push_back(value.AsNumber());
    }
    const std::vector<int64_t> size = row.GetInts("size");
    EXPECT_EQ(CompressedText(MaskOfPolygons(polygons, size[0], size[1])), row.GetString("counts"))
        << row.Compact().substr(0, 300);
  }
}

}  // namespace
}  // namespace vernier
