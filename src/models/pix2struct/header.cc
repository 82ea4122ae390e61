#include "models/pix2struct/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <set>

#include "core/sha256.h"
#include "io/font.h"
#include "io/resize.h"
#include "models/pix2struct/text_wrap.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int kFontPixels = 36;
constexpr size_t kLineCharacters = 80;
constexpr int64_t kPadding = 5;
constexpr int64_t kLineGap = 4;  // Pillow's spacing of multi-line text
constexpr uint8_t kWhite = 255;

constexpr const char* kArial[] = {"Arial.ttf", "arial.ttf", "Arial.TTF"};
constexpr const char* kDejaVu = "DejaVuSans.ttf";

int64_t Rounded(int64_t in_64ths) { return (in_64ths + 32) >> 6; }

// A glyph where it stands: its bitmap's left edge from the start of the line.
struct PlacedGlyph {
  int64_t x;
  const GlyphPicture* picture;
};

struct LaidLine {
  std::vector<PlacedGlyph> glyphs;
  int64_t width = 0;
  int64_t bottom = 0;  // of the lowest glyph from the baseline, at most 0
};

// Lines of text in the first of several fonts, with glyphs from the others where it lacks them.
class Typesetter {
 public:
  explicit Typesetter(const HeaderFonts& fonts) {
    for (const std::string& file : fonts.files) fonts_.push_back(Font::Open(file, kFontPixels));
  }

  const Font& first() const { return fonts_.front(); }

  LaidLine Lay(const std::u32string& text) {
    LaidLine line;
    int64_t pen = 0;  // in 1/64 pixel
    for (size_t i = 0; i < text.size(); ++i) {
      const Font& font = FontFor(text[i]);
      if (i > 0 && &FontFor(text[i - 1]) == &font) pen += font.Kerning(text[i - 1], text[i]);
      const GlyphPicture& picture = PictureOf(font, text[i]);
      const int64_t x = Rounded(pen) + picture.left;
      line.glyphs.push_back({x, &picture});
      pen += font.Advance(text[i]);
      line.width = std::max({line.width, Rounded(pen), x + picture.width});
      line.bottom = std::min<int64_t>(line.bottom, picture.bottom());
    }
    return line;
  }

  std::vector<std::string> Warnings() const {
    std::vector<std::string> warnings;
    for (const auto& [font, characters] : borrowed_) {
      warnings.push_back(fmt::format("{} has no glyph for {}; {} was used", first().name(),
                                     Listed(characters), font));
    }
    if (!missing_.empty()) {
      warnings.push_back(fmt::format(
          "no font here has a glyph for {}: a box stands for each in the header, and the model "
          "cannot read it (--font FILE.ttf gives another font)",
          Listed(missing_)));
    }
    return warnings;
  }

 private:
  static std::string Listed(const std::set<char32_t>& characters) {
    constexpr size_t kShown = 5;
    std::string text;
    for (auto at = characters.begin(); at != characters.end(); ++at) {
      if (std::distance(characters.begin(), at) == kShown) {
        return text + fmt::format(" and {} more", characters.size() - kShown);
      }
      text += fmt::format("{}U+{:04X}", text.empty() ? "" : ", ", static_cast<uint32_t>(*at));
    }
    return text;
  }

  const Font& FontFor(char32_t character) {
    for (const Font& font : fonts_) {
      if (!font.Has(character)) continue;
      if (&font != &first()) borrowed_[font.name()].insert(character);
      return font;
    }
    missing_.insert(character);
    return first();
  }

  const GlyphPicture& PictureOf(const Font& font, char32_t character) {
    const auto found = pictures_.find(character);
    if (found != pictures_.end()) return found->second;
    return pictures_.emplace(character, font.Draw(character)).first->second;
  }

  std::vector<Font> fonts_;
  std::map<char32_t, GlyphPicture> pictures_;
  std::map<std::string, std::set<char32_t>> borrowed_;
  std::set<char32_t> missing_;
};

Image WhitePicture(int64_t width, int64_t height) {
  Image image = NewImage(ImageMode::kRGB, width, height);
  std::memset(image.pixels.data(), kWhite, image.pixels.size());
  return image;
}

// Ink of one line, over which later glyphs lie: coverage adds up to what is left uncovered.
void Cover(uint8_t& ink, uint8_t by) {
  ink = static_cast<uint8_t>(ink + (by * (255 - ink) + 127) / 255);
}

void DrawLine(const LaidLine& line, int64_t baseline, Image& image) {
  for (const PlacedGlyph& glyph : line.glyphs) {
    for (int row = 0; row < glyph.picture->height; ++row) {
      const int64_t y = baseline - glyph.picture->top + row;
      if (y < 0 || y >= image.height) continue;
      const uint8_t* coverage = glyph.picture->coverage.data() + row * glyph.picture->width;
      for (int column = 0; column < glyph.picture->width; ++column) {
        const int64_t x = kPadding + glyph.x + column;
        if (x < 0 || x >= image.width) continue;
        uint8_t* pixel = image.row(y) + 3 * x;
        uint8_t ink = static_cast<uint8_t>(kWhite - pixel[0]);
        Cover(ink, coverage[column]);
        std::memset(pixel, kWhite - ink, 3);
      }
    }
  }
}

}  // namespace

HeaderFonts FindHeaderFonts(const std::string& chosen, const std::string& trained_with) {
  const std::string dejavu = FindFontFile(kDejaVu);
  HeaderFonts fonts;
  if (!chosen.empty()) {
    Font::Open(chosen, kFontPixels);
    fonts.files.push_back(chosen);
  } else {
    const std::vector<std::string> names =
        trained_with.empty() ? std::vector<std::string>(std::begin(kArial), std::end(kArial))
                             : std::vector{trained_with};
    for (const std::string& name : names) {
      if (const std::string file = FindFontFile(name); fonts.files.empty() && !file.empty()) {
        fonts.files.push_back(file);
      }
    }
    if (fonts.files.empty() && !dejavu.empty()) {
      fonts.notice = fmt::format(
          "questions are drawn in DejaVu Sans; {}, and answers may differ (--font FILE.ttf)",
          trained_with.empty() ? "the published models were trained with Arial"
                               : "this one was trained with " + trained_with);
    }
  }
  if (!dejavu.empty() && (fonts.files.empty() || fonts.files.front() != dejavu)) {
    fonts.files.push_back(dejavu);
  }
  return fonts;
}

HeaderPicture DrawHeader(std::string_view text, const HeaderFonts& fonts) {
  if (fonts.files.empty()) {
    throw Error(
        ErrorKind::kInput, "no font was found to draw the question with",
        "give one with --font FILE.ttf, or install DejaVu Sans (Debian: fonts-dejavu-core)");
  }
  Typesetter typesetter(fonts);
  const int64_t ascent = typesetter.first().ascent();
  const int64_t letter_bottom = std::min(0, typesetter.first().Draw(U'A').bottom());
  const int64_t step = ascent - letter_bottom + kLineGap;
  std::vector<LaidLine> lines;
  for (const std::u32string& line : WrapText(text, kLineCharacters)) {
    lines.push_back(typesetter.Lay(line));
  }
  int64_t width = 0, height = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    width = std::max(width, lines[i].width);
    height = std::max(height, static_cast<int64_t>(i) * step + ascent - lines[i].bottom);
  }
  HeaderPicture header{.image = WhitePicture(width + 2 * kPadding, height + 2 * kPadding),
                       .font = fmt::format("{} (sha256 {})", typesetter.first().name(),
                                           Sha256OfFile(fonts.files.front())),
                       .warnings = typesetter.Warnings()};
  if (width > 0 && !fonts.notice.empty()) {
    header.warnings.insert(header.warnings.begin(), fonts.notice);
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    DrawLine(lines[i], kPadding + static_cast<int64_t>(i) * step + ascent, header.image);
  }
  return header;
}

Image ComposeWithHeader(const Image& picture, const Image& header, int64_t max_pixels) {
  const int64_t width = std::max(header.width, picture.width);
  const auto scaled = [width](const Image& image) {
    return static_cast<double>(image.height) *
           (static_cast<double>(width) / static_cast<double>(image.width));
  };
  const double rows = scaled(picture) + scaled(header);
  if (rows * static_cast<double>(width) > static_cast<double>(max_pixels)) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("a picture of {}x{} under a header {} wide becomes {}x{:.0f}, more than "
                    "{} pixels",
                    picture.width, picture.height, header.width, width, rows, max_pixels),
        "cut the picture, or raise --max-image-pixels");
  }
  const ResizeOptions options{.flavour = ResizeFlavour::kPillow12,
                              .filter = ResizeFilter::kBicubic};
  const Image parts[] = {
      ResizeChannels(header, static_cast<int64_t>(scaled(header)), width, options),
      ResizeChannels(picture, static_cast<int64_t>(scaled(picture)), width, options)};
  Image whole = NewImageLike(picture, ImageMode::kRGB, width, parts[0].height + parts[1].height);
  uint8_t* to = whole.pixels.data();
  for (const Image& part : parts) {
    std::memcpy(to, part.pixels.data(), part.pixels.size());
    to += part.pixels.size();
  }
  return whole;
}

}  // namespace vernier
