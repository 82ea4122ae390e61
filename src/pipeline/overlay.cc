#include "pipeline/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/check.h"
#include "core/coco_mask.h"
#include "core/unicode.h"
#include "io/font.h"
#include "io/image_convert.h"

namespace vernier {
namespace {

using Colour = std::array<uint8_t, 3>;

constexpr float kMaskCover = 0.45F;
constexpr float kLineCover = 0.95F;
constexpr Colour kBlack = {20, 20, 20};
constexpr Colour kWhite = {255, 255, 255};

// Hues a golden section apart differ however many there are; every other one is paler.
Colour ColourOf(size_t instance) {
  constexpr double kGoldenSection = 0.618033988749895;
  const double hue = std::fmod(0.58 + static_cast<double>(instance) * kGoldenSection, 1.0) * 6;
  const double saturation = instance % 2 == 0 ? 0.80 : 0.62;
  constexpr double kValue = 0.96;
  Colour colour;
  for (size_t c = 0; c < 3; ++c) {
    const double k = std::fmod(5.0 - 2.0 * static_cast<double>(c) + hue, 6.0);
    const double share = std::clamp(std::min(k, 4.0 - k), 0.0, 1.0);
    colour[c] = static_cast<uint8_t>(std::lround(255 * kValue * (1 - saturation * share)));
  }
  return colour;
}

bool IsLight(const Colour& c) { return 299 * c[0] + 587 * c[1] + 114 * c[2] > 150 * 1000; }

struct Area {
  int64_t left, top, right, bottom;  // the last two are outside

  bool Meets(const Area& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

class Canvas {
 public:
  explicit Canvas(const Image& picture) : image_(CopyOf(picture)) {}

  int64_t width() const { return image_.width; }
  int64_t height() const { return image_.height; }

  void Cover(int64_t x, int64_t y, const Colour& colour, float cover) {
    if (x < 0 || y < 0 || x >= width() || y >= height()) return;
    uint8_t* pixel = image_.row(y) + 3 * x;
    for (size_t c = 0; c < 3; ++c) {
      const float mixed = pixel[c] + cover * (static_cast<float>(colour[c]) - pixel[c]);
      pixel[c] = static_cast<uint8_t>(mixed + 0.5F);
    }
  }

  void Fill(const Area& area, const Colour& colour, float cover) {
    for (int64_t y = std::max<int64_t>(area.top, 0); y < std::min(area.bottom, height()); ++y) {
      for (int64_t x = std::max<int64_t>(area.left, 0); x < std::min(area.right, width()); ++x) {
        Cover(x, y, colour, cover);
      }
    }
  }

  Image Take() { return std::move(image_); }

 private:
  Image image_;
};

Area PixelsOf(const Instance& instance) {
  const auto& box = instance.box;
  return {static_cast<int64_t>(std::floor(box[0])), static_cast<int64_t>(std::floor(box[1])),
          static_cast<int64_t>(std::ceil(box[2])), static_cast<int64_t>(std::ceil(box[3]))};
}

// The mask's pixels, and those within `line` of its edge in full colour.
void DrawMask(const Instance& instance, const Colour& colour, int64_t line, Canvas& canvas) {
  const std::vector<uint8_t> pixels = DecodeMask(instance.mask);
  const auto set = [&](int64_t x, int64_t y) {
    return x >= 0 && y >= 0 && x < canvas.width() && y < canvas.height() &&
           pixels[static_cast<size_t>(y * canvas.width() + x)] != 0;
  };
  const auto at_edge = [&](int64_t x, int64_t y) {
    for (int64_t d = 1; d <= line; ++d) {
      if (!set(x - d, y) || !set(x + d, y) || !set(x, y - d) || !set(x, y + d)) return true;
    }
    return !set(x - 1, y - 1) || !set(x + 1, y - 1) || !set(x - 1, y + 1) || !set(x + 1, y + 1);
  };
  for (int64_t y = 0; y < canvas.height(); ++y) {
    for (int64_t x = 0; x < canvas.width(); ++x) {
      if (set(x, y)) canvas.Cover(x, y, colour, at_edge(x, y) ? kLineCover : kMaskCover);
    }
  }
}

void DrawBox(const Area& box, const Colour& colour, int64_t line, Canvas& canvas) {
  canvas.Fill({box.left, box.top, box.right, box.top + line}, colour, kLineCover);
  canvas.Fill({box.left, box.bottom - line, box.right, box.bottom}, colour, kLineCover);
  canvas.Fill({box.left, box.top + line, box.left + line, box.bottom - line}, colour, kLineCover);
  canvas.Fill({box.right - line, box.top + line, box.right, box.bottom - line}, colour, kLineCover);
}

// Labels, each on a plate of its instance's colour where no earlier one lies. One that finds no
// place is left out, and so are the last ones of a crowd: what is found should be seen.
class LabelWriter {
 public:
  LabelWriter(const std::string& font_file, int pixels, Canvas& canvas)
      : font_(Font::Open(font_file, pixels)), canvas_(canvas), pixels_(pixels) {}

  void Write(const std::string& text, const Area& box, const Colour& colour) {
    const std::u32string letters = CodePoints(text);
    const int64_t pad = std::max<int64_t>(2, pixels_ / 4);
    const int64_t width = WidthOf(letters) + 2 * pad, height = pixels_ + pad;
    if (!HasRoomFor(width, height)) return;
    const std::optional<Area> plate = PlaceFor(width, height, box);
    if (!plate) return;
    taken_.push_back(*plate);
    covered_ += width * height;
    canvas_.Fill(*plate, colour, kLineCover);
    const int64_t baseline = plate->top + (height + CapHeight()) / 2;
    Draw(letters, plate->left + pad, baseline, IsLight(colour) ? kBlack : kWhite);
  }

 private:
  int64_t WidthOf(const std::u32string& letters) const {
    int64_t in_64ths = 0;
    for (size_t i = 0; i < letters.size(); ++i) {
      if (i > 0) in_64ths += font_.Kerning(letters[i - 1], letters[i]);
      in_64ths += font_.Advance(letters[i]);
    }
    return (in_64ths + 63) / 64;
  }

  int64_t CapHeight() const { return font_.Draw(U'H').height; }

  // Whether it fits, and labels would still leave most of the picture.
  bool HasRoomFor(int64_t width, int64_t height) const {
    constexpr int64_t kLeastLeft = 4;  // labels may take one part of so many
    return width <= canvas_.width() && height <= canvas_.height() &&
           (covered_ + width * height) * kLeastLeft <= canvas_.width() * canvas_.height();
  }

  // Above the box, else below it, else inside, as far up as nothing is in the way. Always within
  // the picture.
  std::optional<Area> PlaceFor(int64_t width, int64_t height, const Area& box) const {
    const int64_t left = std::clamp<int64_t>(box.left, 0, canvas_.width() - width);
    const auto at = [&](int64_t top) {
      const int64_t inside = std::clamp<int64_t>(top, 0, canvas_.height() - height);
      return Area{left, inside, left + width, inside + height};
    };
    const auto is_free = [&](const Area& area) {
      return std::ranges::none_of(taken_, [&](const Area& other) { return area.Meets(other); });
    };
    for (const int64_t top : {box.top - height, box.bottom}) {
      if (is_free(at(top))) return at(top);
    }
    for (int64_t top = box.top; top + height <= box.bottom; top += height / 2) {
      if (is_free(at(top))) return at(top);
    }
    return std::nullopt;
  }

  void Draw(const std::u32string& letters, int64_t left, int64_t baseline, const Colour& colour) {
    int64_t pen = left * 64;
    for (size_t i = 0; i < letters.size(); ++i) {
      if (i > 0) pen += font_.Kerning(letters[i - 1], letters[i]);
      const GlyphPicture glyph = font_.Draw(letters[i]);
      for (int y = 0; y < glyph.height; ++y) {
        for (int x = 0; x < glyph.width; ++x) {
          const auto cover = glyph.coverage[static_cast<size_t>(y * glyph.width + x)];
          canvas_.Cover((pen + 32) / 64 + glyph.left + x, baseline - glyph.top + y, colour,
                        static_cast<float>(cover) / 255.0F);
        }
      }
      pen += font_.Advance(letters[i]);
    }
  }

  Font font_;
  Canvas& canvas_;
  int64_t pixels_;
  std::vector<Area> taken_;
  int64_t covered_ = 0;  // pixels under plates
};

}  // namespace

std::string CategoryName(const std::vector<std::string>& classes, int64_t category) {
  const auto at = static_cast<size_t>(category);
  return at < classes.size() && !classes[at].empty() ? classes[at]
                                                     : fmt::format("class {}", category);
}

Image DrawInstances(const Image& picture, const PictureInstances& found,
                    const OverlayLabels& labels) {
  VN_CHECK(picture.mode == ImageMode::kRGB && picture.height == found.height &&
           picture.width == found.width);
  Canvas canvas(picture);
  const std::vector<Instance>& instances = found.instances;
  const int64_t shorter = std::min(picture.height, picture.width);
  const int64_t line = std::clamp<int64_t>(shorter / 300, 1, 6);
  // Large objects first, so that what lies on them is seen.
  std::vector<size_t> order(instances.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](size_t i) { return instances[i].mask.area(); });
  for (const size_t i : order) DrawMask(instances[i], ColourOf(i), line, canvas);
  for (const size_t i : order) DrawBox(PixelsOf(instances[i]), ColourOf(i), line, canvas);
  if (labels.font_file.empty() || instances.empty()) return canvas.Take();
  const int pixels = static_cast<int>(std::clamp<int64_t>(shorter / 32, 11, 48));
  LabelWriter writer(labels.font_file, pixels, canvas);
  for (size_t i = 0; i < instances.size(); ++i) {
    writer.Write(fmt::format("{} {:.2f}", CategoryName(labels.classes, instances[i].category),
                             instances[i].score),
                 PixelsOf(instances[i]), ColourOf(i));
  }
  return canvas.Take();
}

}  // namespace vernier
