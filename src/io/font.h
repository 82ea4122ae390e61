// Glyphs of an outline font file, drawn by FreeType: what a line of text needs and no more. Without
// shaping: one glyph per character, the font's own advances and its kern table. A Font owns its
// face; one thread at a time may use it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vernier {

/// A glyph's coverage, 0 to 255, in rows from the top.
struct GlyphPicture {
  int left = 0;  // of the bitmap from the pen
  int top = 0;   // of its upper edge above the baseline
  int width = 0;
  int height = 0;
  std::vector<uint8_t> coverage;  // [height, width]

  int bottom() const { return top - height; }
};

class Font {
 public:
  /// Opens `path` at `pixels` per em. Throws Error{kInput} that names the file when it is missing,
  /// is no font, or has no outlines.
  static Font Open(const std::string& path, int pixels);
  Font(Font&&) noexcept;
  Font& operator=(Font&&) noexcept;
  ~Font();

  const std::string& path() const;
  /// "DejaVu Sans Book".
  std::string name() const;
  bool Has(char32_t code_point) const;
  /// Height of the font's ascent above the baseline, in whole pixels.
  int ascent() const;
  /// How far the pen moves, in 1/64 pixel, not rounded to the grid. For a character that the font
  /// lacks, that of its mark for such characters.
  int64_t Advance(char32_t code_point) const;
  /// What is added to the advance of `left` when `right` follows, in 1/64 pixel.
  int64_t Kerning(char32_t left, char32_t right) const;
  GlyphPicture Draw(char32_t code_point) const;

 private:
  struct Face;
  explicit Font(std::unique_ptr<Face> face);
  std::unique_ptr<Face> face_;
};

/// The file called `name` below the folders where systems and users keep fonts, "" when there is
/// none.
std::string FindFontFile(const std::string& name);

}  // namespace vernier
