#include "io/font.h"

#include <fmt/format.h>
#include <freetype/freetype.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

// A glyph beyond this is no glyph of a text at the sizes used here, but a broken or hostile font.
constexpr unsigned kMaxGlyphSide = 4096;

struct CloseLibrary {
  void operator()(FT_Library library) const { FT_Done_FreeType(library); }
};
struct CloseFace {
  void operator()(FT_Face face) const { FT_Done_Face(face); }
};

[[noreturn]] void ThrowUnusable(const std::string& path, const char* why) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", path, why),
              "give an outline font such as DejaVuSans.ttf (Debian: fonts-dejavu-core)");
}

int Rounded(int64_t in_64ths) { return static_cast<int>((in_64ths + 32) >> 6); }

std::vector<fs::path> FontFolders() {
  std::vector<fs::path> folders;
  if (const char* home = std::getenv("HOME")) {
    folders.push_back(fs::path(home) / ".local/share/fonts");
    folders.push_back(fs::path(home) / ".fonts");
  }
  folders.push_back("/usr/local/share/fonts");
  folders.push_back("/usr/share/fonts");
  return folders;
}

}  // namespace

struct Font::Face {
  std::string path;
  MappedFile file;  // FreeType reads it for as long as the face is open
  std::unique_ptr<FT_LibraryRec_, CloseLibrary> library;
  std::unique_ptr<FT_FaceRec_, CloseFace> face;

  FT_UInt Index(char32_t code_point) const { return FT_Get_Char_Index(face.get(), code_point); }

  void Load(char32_t code_point, FT_Int32 flags) const {
    if (FT_Load_Glyph(face.get(), Index(code_point), flags) != 0) {
      ThrowUnusable(path, fmt::format("FreeType cannot load the glyph of U+{:04X}",
                                      static_cast<uint32_t>(code_point))
                              .c_str());
    }
  }
};

Font::Font(std::unique_ptr<Face> face) : face_(std::move(face)) {}
Font::Font(Font&&) noexcept = default;
Font& Font::operator=(Font&&) noexcept = default;
Font::~Font() = default;

Font Font::Open(const std::string& path, int pixels) {
  auto face = std::make_unique<Face>(Face{path, MappedFile::Open(path), nullptr, nullptr});
  FT_Library library = nullptr;
  if (FT_Init_FreeType(&library) != 0) {
    throw Error(ErrorKind::kDevice, "FreeType could not be started");
  }
  face->library.reset(library);
  FT_Face opened = nullptr;
  const auto bytes = face->file.bytes();
  if (FT_New_Memory_Face(library, reinterpret_cast<const FT_Byte*>(bytes.data()),
                         static_cast<FT_Long>(bytes.size()), 0, &opened) != 0) {
    ThrowUnusable(path, "this is no font that FreeType can read");
  }
  face->face.reset(opened);
  if (!FT_IS_SCALABLE(opened) || FT_Set_Pixel_Sizes(opened, 0, static_cast<FT_UInt>(pixels)) != 0) {
    ThrowUnusable(path, "the font has no outlines");
  }
  if (opened->charmap == nullptr) ThrowUnusable(path, "the font has no Unicode character map");
  return Font(std::move(face));
}

const std::string& Font::path() const { return face_->path; }

std::string Font::name() const {
  const FT_Face face = face_->face.get();
  std::string name = face->family_name == nullptr ? "unnamed" : face->family_name;
  if (face->style_name != nullptr) name += std::string(" ") + face->style_name;
  return name;
}

bool Font::Has(char32_t code_point) const { return face_->Index(code_point) != 0; }

int Font::ascent() const { return Rounded(face_->face->size->metrics.ascender); }

int64_t Font::Advance(char32_t code_point) const {
  face_->Load(code_point, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP);
  return face_->face->glyph->linearHoriAdvance / 1024;  // 16.16 pixels to 26.6
}

int64_t Font::Kerning(char32_t left, char32_t right) const {
  FT_Vector delta = {0, 0};
  if (FT_HAS_KERNING(face_->face.get())) {
    FT_Get_Kerning(face_->face.get(), face_->Index(left), face_->Index(right), FT_KERNING_UNFITTED,
                   &delta);
  }
  return delta.x;
}

GlyphPicture Font::Draw(char32_t code_point) const {
  face_->Load(code_point, FT_LOAD_NO_BITMAP);
  const FT_GlyphSlot slot = face_->face->glyph;
  if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) != 0) {
    ThrowUnusable(face_->path, "FreeType cannot draw one of its glyphs");
  }
  const FT_Bitmap& bitmap = slot->bitmap;
  if (bitmap.width > kMaxGlyphSide || bitmap.rows > kMaxGlyphSide) {
    ThrowUnusable(face_->path, "one of its glyphs is thousands of pixels large");
  }
  GlyphPicture picture{.left = slot->bitmap_left,
                       .top = slot->bitmap_top,
                       .width = static_cast<int>(bitmap.width),
                       .height = static_cast<int>(bitmap.rows),
                       .coverage = {}};
  picture.coverage.reserve(static_cast<size_t>(bitmap.width) * bitmap.rows);
  for (unsigned row = 0; row < bitmap.rows; ++row) {
    const uint8_t* from = bitmap.buffer + static_cast<std::ptrdiff_t>(row) * bitmap.pitch;
    picture.coverage.insert(picture.coverage.end(), from, from + bitmap.width);
  }
  return picture;
}

std::string FindFontFile(const std::string& name) {
  for (const fs::path& folder : FontFolders()) {
    std::error_code error;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                        error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (at->path().filename() == name) return at->path().string();
    }
  }
  return "";
}

}  // namespace vernier
