#include "pipeline/overlay.h"

#include "core/coco_mask.h"
#include "core/json_writer.h"
#include "io/font.h"
#include "io/json.h"
#include "io/png_writer.h"
#include "pipeline/instances_json.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

Image GreyPicture(int64_t height, int64_t width) {
  Image image = NewImage(ImageMode::kRGB, width, height);
  std::fill_n(image.pixels.data(), image.pixels.size(), uint8_t{128});
  return image;
}

// A square of `side` pixels at (left, top).
Instance Square(int64_t left, int64_t top, int64_t side, int64_t height, int64_t width) {
  std::vector<uint8_t> pixels(static_cast<size_t>(height * width));
  for (int64_t y = top; y < top + side; ++y) {
    for (int64_t x = left; x < left + side; ++x) pixels[static_cast<size_t>(y * width + x)] = 1;
  }
  const auto corner = [](int64_t at) { return static_cast<float>(at); };
  return {.category = 1,
          .score = 0.875F,
          .box = {corner(left), corner(top), corner(left + side), corner(top + side)},
          .mask = EncodeMask(pixels, height, width)};
}

std::array<int, 3> PixelAt(const Image& image, int64_t x, int64_t y) {
  const uint8_t* pixel = image.row(y) + 3 * x;
  return {pixel[0], pixel[1], pixel[2]};
}

TEST(DrawInstances, TintsMasksAndLeavesTheRest) {
  const PictureInstances found = {
      100, 120, {Square(20, 30, 40, 100, 120), Square(80, 50, 20, 100, 120)}};
  const Image drawn = DrawInstances(GreyPicture(100, 120), found, {});
  const std::array<int, 3> grey = {128, 128, 128};
  EXPECT_EQ(PixelAt(drawn, 5, 5), grey);
  EXPECT_NE(PixelAt(drawn, 40, 50), grey);
  EXPECT_NE(PixelAt(drawn, 40, 50), PixelAt(drawn, 90, 60));  // two colours
  EXPECT_NE(PixelAt(drawn, 20, 50), PixelAt(drawn, 40, 50));  // the outline is stronger
}

TEST(DrawInstances, KeepsLabelsInsideAndReadable) {
  const std::string font = FindFontFile("DejaVuSans.ttf");
  if (font.empty()) GTEST_SKIP() << "DejaVu Sans is not installed";
  const PictureInstances found = {
      100, 120, {Square(0, 0, 100, 100, 120), Square(100, 80, 20, 100, 120)}};
  const Image bare = DrawInstances(GreyPicture(100, 120), found, {});
  const Image drawn =
      DrawInstances(GreyPicture(100, 120), found, {.classes = {"disc", "star"}, .font_file = font});
  int64_t changed = 0;
  for (size_t i = 0; i < drawn.pixels.size(); ++i) {
    changed += bare.pixels.data()[i] != drawn.pixels.data()[i];
  }
  EXPECT_GT(changed, 300);
}

int64_t ChangedByLabels(const PictureInstances& found, const std::string& font) {
  const Image picture = GreyPicture(found.height, found.width);
  const Image bare = DrawInstances(picture, found, {});
  const Image drawn = DrawInstances(picture, found, {.classes = {}, .font_file = font});
  int64_t changed = 0;
  for (int64_t y = 0; y < found.height; ++y) {
    for (int64_t x = 0; x < found.width; ++x)
      changed += PixelAt(bare, x, y) != PixelAt(drawn, x, y);
  }
  return changed;
}

TEST(DrawInstances, LeavesOutLabelsThatWouldHideOthersOrMostOfThePicture) {
  const std::string font = FindFontFile("DejaVuSans.ttf");
  if (font.empty()) GTEST_SKIP() << "DejaVu Sans is not installed";
  EXPECT_EQ(ChangedByLabels({40, 48, {Square(8, 8, 20, 40, 48)}}, font), 0);
  PictureInstances crowd = {200, 200, {}};
  for (int64_t i = 0; i < 100; ++i) {
    crowd.instances.push_back(Square(i % 10 * 18, i / 10 * 18, 18, 200, 200));
  }
  EXPECT_GT(ChangedByLabels(crowd, font), 200 * 200 / 8);
  EXPECT_LE(ChangedByLabels(crowd, font), 200 * 200 / 4);
  PictureInstances heap = {200, 200, {}};
  heap.instances.assign(30, Square(100, 100, 10, 200, 200));
  const int64_t of_two = ChangedByLabels({200, 200, {heap.instances[0], heap.instances[1]}}, font);
  EXPECT_EQ(ChangedByLabels(heap, font), of_two);
}

TEST(DrawInstances, DrawsNothingWhereNothingWasFound) {
  const Image drawn = DrawInstances(GreyPicture(1, 1), {1, 1, {}}, {.font_file = "unused.ttf"});
  EXPECT_EQ(PixelAt(drawn, 0, 0), (std::array<int, 3>{128, 128, 128}));
}

TEST(CategoryName, CountsClassesWithoutNames) {
  EXPECT_EQ(CategoryName({"disc"}, 0), "disc");
  EXPECT_EQ(CategoryName({"disc"}, 7), "class 7");
}

TEST(PngWriter, WritesWhatIsReadBack) {
  const ScratchFolder folder;
  Image image = GreyPicture(7, 5);
  image.pixels.data()[4] = 9;
  WritePng(folder.path("a.png"), image);
  const Image read = DecodeImage(folder.path("a.png"));
  EXPECT_EQ(read.mode, ImageMode::kRGB);
  EXPECT_TRUE(
      std::equal(read.pixels.data(), read.pixels.data() + read.pixels.size(), image.pixels.data()));
}

TEST(WriteInstances, HasCocosKeys) {
  Instance instance = Square(1, 0, 2, 3, 4);
  instance.category = 11;
  JsonWriter writer;
  writer.BeginArray();
  WriteInstances({3, 4, {instance}}, {.image_id = 5, .coco_classes = true}, writer);
  const Json json = Json::Parse(writer.EndArray().Take(), "instances");
  const Json& row = json.items()[0];
  EXPECT_EQ(row.GetInt("image_id"), 5);
  EXPECT_EQ(row.GetInt("category_id"), 11);
  EXPECT_EQ(row.GetNumbers("bbox"), (std::vector<double>{1, 0, 2, 2}));
  EXPECT_EQ(row.GetNumber("score"), 0.875);
  EXPECT_EQ(row.GetObject("segmentation").GetInts("size"), (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(row.GetObject("segmentation").GetString("counts"), CompressedText(instance.mask));
  EXPECT_EQ(row.GetInt("area"), 4);
  EXPECT_EQ(row.GetInt("coco_category_id"), 13);
}

}  // namespace
}  // namespace vernier
