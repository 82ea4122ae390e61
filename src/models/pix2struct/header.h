// The question above the picture: drawn as a picture of text, then set on top. Follows
// render_text and render_header of transformers' Pix2StructImageProcessor, which draw with Pillow.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/image.h"

namespace vernier {

/// Fonts for a header, in the order in which they are asked for a glyph.
struct HeaderFonts {
  std::vector<std::string> files;  // empty: this machine has none
  /// What a person should know of what is drawn with them: that the font with which the model was
  /// trained is not here.
  std::string notice = {};
};

/// `chosen` where it is given, else the file named `trained_with` where the checkpoint says so and
/// this machine has it, else Arial, else DejaVu Sans, which also stands in for glyphs that the
/// first lacks. Throws Error{kInput} when `chosen` is no font.
HeaderFonts FindHeaderFonts(const std::string& chosen, const std::string& trained_with = {});

struct HeaderPicture {
  Image image;                        // RGB
  std::string font;                   // name and hash of the first font's file
  std::vector<std::string> warnings;  // the fonts' notice, characters that the font lacks
};

/// Black on white, 36 pixels high, wrapped to 80 characters, 5 pixels of padding; a white square of
/// 10 pixels for a text of blanks. Throws Error{kInput} when there is no font.
HeaderPicture DrawHeader(std::string_view text, const HeaderFonts& fonts);

/// `header` on top of `picture`, both RGB, both enlarged to the width of the wider. Throws
/// Error{kInput} when that would have more than `max_pixels` pixels.
Image ComposeWithHeader(const Image& picture, const Image& header, int64_t max_pixels);

}  // namespace vernier
