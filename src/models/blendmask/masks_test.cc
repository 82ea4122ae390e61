// From bases and attention to masks in the picture: blend.h and paste.h on the goldens.
#include <algorithm>
#include <cmath>

#include "core/coco_mask.h"
#include "models/blendmask/blend.h"
#include "models/blendmask/paste.h"
#include "support/blendmask_golden.h"

namespace vernier {
namespace {

const std::string kOps = VERNIER_TEST_DATA "/goldens/blendmask/ops/";

std::vector<BoxCorners> BoxesOf(const Tensor& sides) {
  std::vector<BoxCorners> boxes(static_cast<size_t>(sides.shape()[0]));
  for (size_t i = 0; i < boxes.size(); ++i) {
    std::copy_n(sides.as<float>().data() + 4 * i, 4, boxes[i].begin());
  }
  return boxes;
}

BasisMaps MapsOf(const Tensor& bases, int64_t picture) {
  const int rank = bases.shape().rank();
  const int64_t one = bases.shape()[-3] * bases.shape()[-2] * bases.shape()[-1];
  return {bases.shape()[rank - 2], bases.shape()[rank - 1],
          bases.as<float>().subspan(static_cast<size_t>(picture * one), static_cast<size_t>(one))};
}

// Row `index` of packed bits [masks, height, bytes] as pixels.
std::vector<uint8_t> Unpacked(const Tensor& packed, int64_t index, PictureSize size) {
  const int64_t bytes = packed.shape()[2];
  std::vector<uint8_t> pixels;
  for (int64_t y = 0; y < size.height; ++y) {
    for (int64_t x = 0; x < size.width; ++x) {
      const uint8_t byte =
          packed.as<uint8_t>()[static_cast<size_t>((index * size.height + y) * bytes + x / 8)];
      pixels.push_back(byte >> (7 - x % 8) & 1);
    }
  }
  return pixels;
}

// Pixels that differ although the reference was sure of them.
int64_t DecidedDifferences(const RunLengths& mask, const std::vector<uint8_t>& expected,
                           const std::vector<uint8_t>& undecided) {
  const std::vector<uint8_t> found = DecodeMask(mask);
  int64_t different = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    different += found[i] != expected[i] && undecided[i] == 0 ? 1 : 0;
  }
  return different;
}

// One basis that gets all attention is the mask: what pooling reads.
std::vector<float> Pooled(const BasisMaps& maps, const BoxCorners& box, BlendMaskConfig config) {
  config.bases = 1;
  const BasisMaps first = {maps.height, maps.width,
                           maps.values.first(static_cast<size_t>(maps.height * maps.width))};
  const std::vector<float> attention(static_cast<size_t>(config.attention_channels()), 1.0F);
  return MaskBlender(first, config).Blend(box, attention);
}

// Of all boxes, one mask after the other; `attention` likewise.
std::vector<float> Blended(const BasisMaps& maps, std::span<const BoxCorners> boxes,
                           std::span<const float> attention, const BlendMaskConfig& config) {
  const MaskBlender blender(maps, config);
  const auto channels = static_cast<size_t>(config.attention_channels());
  std::vector<float> all;
  for (size_t i = 0; i < boxes.size(); ++i) {
    const std::vector<float> one =
        blender.Blend(boxes[i], attention.subspan(i * channels, channels));
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

TEST(MaskBlender, ReadsZeroBeyondACellOutside) {
  const Tensor bases = ReadNpy(kOps + "blend_bases.npy"),
               expected = ReadNpy(kOps + "blend_rois.npy");
  const std::vector<BoxCorners> boxes = BoxesOf(ReadNpy(kOps + "blend_boxes.npy"));
  const size_t rows[] = {0, 1, 5};
  for (size_t i = 0; i < 3; ++i) {
    const std::vector<float> pooled = Pooled(MapsOf(bases, 0), boxes[rows[i]], {});
    for (size_t pixel = 0; pixel < 56 * 56; ++pixel) {
      ASSERT_NEAR(pooled[pixel], expected.as<float>()[i * 56 * 56 + pixel], 2e-5) << rows[i];
    }
  }
}

// With r samples the mean over r x r points of one bin; a plane is met exactly by any of them.
TEST(MaskBlender, AveragesSeveralSamplesPerBin) {
  std::vector<float> plane(20 * 30);
  for (size_t i = 0; i < plane.size(); ++i) plane[i] = static_cast<float>(i % 30 + 2 * (i / 30));
  BlendMaskConfig config;
  config.bottom_resolution = 4;
  const std::vector<float> once = Pooled({20, 30, plane}, {16, 12, 80, 60}, config);
  config.pooler_samples = 3;
  const std::vector<float> often = Pooled({20, 30, plane}, {16, 12, 80, 60}, config);
  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(often[i], once[i], 1e-4);
  // The first bin's centre: x = 3.5 + 2, y = 2.5 + 1.5.
  EXPECT_NEAR(once[0], 5.5 + 2 * 4, 1e-5);
}

TEST(MaskBlender, OfTheOldKindHasNoHalfPixelAndNoBoxBelowOneCell) {
  std::vector<float> plane(20 * 30);
  for (size_t i = 0; i < plane.size(); ++i) plane[i] = static_cast<float>(i % 30);
  BlendMaskConfig config;
  config.bottom_resolution = 2;
  config.aligned_pooler = false;
  const std::vector<float> pooled = Pooled({20, 30, plane}, {16, 12, 16.5, 12.5}, config);
  EXPECT_FLOAT_EQ(pooled[0], 4.25F);
  EXPECT_FLOAT_EQ(pooled[1], 4.75F);
}

TEST(MaskBlender, MixesTheBasesAsTheGoldens) {
  const Tensor bases = ReadNpy(kOps + "blend_bases.npy");
  const Tensor expected = ReadNpy(kOps + "blend_logits.npy");
  const Tensor attention = ReadNpy(kOps + "blend_top_feat.npy");
  const std::vector<BoxCorners> boxes = BoxesOf(ReadNpy(kOps + "blend_boxes.npy"));
  const std::vector<float> logits = Blended(MapsOf(bases, 0), boxes, attention.as<float>(), {});
  for (size_t i = 0; i < logits.size(); ++i) {
    ASSERT_NEAR(logits[i], expected.as<float>()[i], 2e-5) << i;
  }
}

TEST(MaskBlender, TakesTheNearestAttentionWhereTheConfigurationSaysSo) {
  BlendMaskConfig config;
  config.bases = 2;
  config.attention_size = 2;
  config.bottom_resolution = 4;
  config.nearest_attention = true;
  // Bases are 1 and 3 everywhere; attention is sure of the first on the left, of the second right.
  std::vector<float> bases(2 * 8 * 8, 1.0F);
  std::fill(bases.begin() + 64, bases.end(), 3.0F);
  const std::vector<float> attention = {50, 0, 50, 0, 0, 50, 0, 50};
  const BoxCorners box = {4, 4, 28, 28};
  const std::vector<float> logits = MaskBlender({8, 8, bases}, config).Blend(box, attention);
  for (size_t i = 0; i < 16; ++i) EXPECT_FLOAT_EQ(logits[i], i % 4 < 2 ? 1.0F : 3.0F);
}

TEST(PasteMask, GivesTheGoldensMasksAndRunLengths) {
  const Json notes = Json::ParseFile(kOps + "case.json");
  const Tensor logits = ReadNpy(kOps + "blend_logits.npy");
  const std::vector<BoxCorners> boxes = BoxesOf(ReadNpy(kOps + "blend_boxes.npy"));
  for (const std::string part : {"paste_0", "paste_1"}) {
    const Json& note = notes.GetObject("parts").GetObject(part);
    const std::vector<int64_t> out = note.GetInts("out_hw"), net = note.GetInts("net_hw");
    const PictureSize size{out[0], out[1]}, network{net[0], net[1]};
    const Tensor masks = ReadNpy(kOps + part + "_masks.npy");
    const Tensor undecided = ReadNpy(kOps + part + "_undecided.npy");
    const std::vector<BoxCorners> clipped = BoxesOf(ReadNpy(kOps + part + "_boxes.npy"));
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < std::ssize(boxes); ++i) {
      const auto box = BoxInPicture(boxes[static_cast<size_t>(i)], network, size);
      if (!box) continue;
      const auto row = static_cast<int64_t>(kept.size());
      EXPECT_EQ(*box, clipped[kept.size()]);
      const RunLengths mask = PasteMask(
          logits.as<float>().subspan(static_cast<size_t>(i) * 56 * 56, 56 * 56), 56, *box, size);
      const std::vector<uint8_t> expected = Unpacked(masks, row, size);
      const std::vector<uint8_t> unsure = Unpacked(undecided, row, size);
      EXPECT_EQ(DecidedDifferences(mask, expected, unsure), 0) << part << " " << i;
      EXPECT_EQ(CompressedText(EncodeMask(DecodeMask(mask), size.height, size.width)),
                CompressedText(mask));
      const Json& text = note.GetArray("rle").items()[kept.size()];
      if (DecodeMask(mask) == expected) {
        EXPECT_EQ(CompressedText(mask), text.GetString("counts"));
      }
      kept.push_back(i);
    }
    EXPECT_EQ(kept, note.GetInts("kept_rows"));
  }
}

// Values of one half exactly stay so between each other, and count as set.
TEST(PasteMask, SetsAPlateauOfOneHalf) {
  const std::vector<float> logits(56 * 56, 0.0F);
  const std::vector<uint8_t> pixels = DecodeMask(PasteMask(logits, 56, {10, 10, 70, 65}, {80, 80}));
  for (size_t y = 12; y < 63; ++y) {
    for (size_t x = 12; x < 68; ++x) ASSERT_EQ(pixels[y * 80 + x], 1) << x << ' ' << y;
  }
}

TEST(PasteMask, HasNoEmptyRunsAndFillsThePicture) {
  const std::vector<float> logits(56 * 56, 4.0F);
  for (const BoxCorners& box : {BoxCorners{0, 0, 20, 30}, BoxCorners{3.7F, 2.1F, 3.75F, 2.2F},
                                BoxCorners{19.5F, 0, 20, 30}, BoxCorners{0, 29.9F, 20, 30}}) {
    const RunLengths mask = PasteMask(logits, 56, box, {30, 20});
    int64_t sum = 0;
    for (size_t i = 0; i < mask.counts.size(); ++i) {
      sum += mask.counts[i];
      EXPECT_TRUE(i == 0 || mask.counts[i] > 0);
    }
    EXPECT_EQ(sum, 600);
  }
  EXPECT_EQ(PasteMask(logits, 56, {0, 0, 20, 30}, {30, 20}).counts, (std::vector<int64_t>{0, 600}));
}

TEST(BoxInPicture, ScalesByTheUnpaddedSizeAndDropsWhatLiesInThePadding) {
  EXPECT_EQ(BoxInPicture({-4, 10, 40, 50}, {40, 80}, {80, 40}), (BoxCorners{0, 20, 20, 80}));
  EXPECT_EQ(BoxInPicture({82, 10, 95, 20}, {40, 80}, {40, 80}), std::nullopt);
}

// All pictures of the goldens, from dumped bases and attention to masks.
TEST(Masks, AreTheGoldensOnEveryDecidedPixel) {
  int compared = 0;
  for (const std::string& name : BlendMaskGoldenNames()) {
    const BlendMaskGolden golden(name);
    if (!golden.Has("dump/bases")) continue;
    const Tensor bases = golden.Dump("bases");
    for (int64_t i = 0; i < golden.pictures(); ++i) {
      SCOPED_TRACE(name + " " + std::to_string(i));
      const std::string det = "det/" + std::to_string(i) + "_";
      if (!golden.Has(det + "top_feat")) continue;
      const std::vector<BoxCorners> boxes = BoxesOf(golden.Array(det + "boxes"));
      const Tensor attention = golden.Array(det + "top_feat");
      const std::vector<float> logits =
          Blended(MapsOf(bases, i), boxes, attention.as<float>(), golden.config);
      const Tensor stored = golden.Array(det + "mask_logits");
      const double tolerance = golden.Tolerance(i, "mask_logits");
      for (size_t k = 0; k < stored.as<float>().size(); ++k) {
        ASSERT_NEAR(logits[k], stored.as<float>()[k], tolerance);
      }
      const PictureSize size = golden.Size("image_sizes_hw", i);
      const Tensor masks = golden.Array(det + "masks"), undecided = golden.Array(det + "undecided");
      int64_t row = 0;
      std::vector<int64_t> kept;
      for (size_t k = 0; k < boxes.size(); ++k) {
        const auto box = BoxInPicture(boxes[k], golden.Size("network_sizes_hw", i), size);
        if (!box) continue;
        kept.push_back(static_cast<int64_t>(k));
        const int64_t side = golden.config.bottom_resolution;
        const RunLengths mask =
            PasteMask(std::span(logits).subspan(k * static_cast<size_t>(side * side),
                                                static_cast<size_t>(side * side)),
                      side, *box, size);
        EXPECT_EQ(
            DecidedDifferences(mask, Unpacked(masks, row, size), Unpacked(undecided, row, size)), 0)
            << k;
        ++row;
        ++compared;
      }
      EXPECT_EQ(kept, golden.Detections(i).GetInts("kept_after_clip"));
    }
  }
  EXPECT_GT(compared, 40);
}

}  // namespace
}  // namespace vernier
