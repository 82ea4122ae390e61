#include "models/paddleocr_vl/smart_resize.h"

#include "vernier/error.h"

namespace vernier {
namespace {

TEST(SmartResize, EqualsTheReferenceOnAllSizesAndLimits) {
  const Json cases = Json::ParseFile(VERNIER_TEST_DATA "/goldens/paddleocr_vl/smart_resize.json");
  ASSERT_EQ(cases.size(), 76u);
  for (const Json& item : cases.items()) {
    SCOPED_TRACE(item.Compact());
    const PictureSize from{item.GetInt("h"), item.GetInt("w")};
    const SmartResizeLimits limits{item.GetInt("factor"), item.GetInt("min_pixels"),
                                   item.GetInt("max_pixels")};
    try {
      const PictureSize size = SmartResize(from, limits);
      EXPECT_FALSE(item.Has("error"));
      EXPECT_EQ((std::vector{size.height, size.width}), item.GetInts("out"));
      EXPECT_EQ(size.height * size.width / (limits.factor * limits.factor),
                item.GetInt("image_tokens"));
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), item.GetString("error", "no error"));
    }
  }
}

}  // namespace
}  // namespace vernier
