// Flags of verbs that read pictures: how a picture becomes what the model gets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flags.h"
#include "vernier/session.h"

namespace vernier {

struct PictureFlags {
  std::string resize;
  std::string pipeline;
  bool convert_rgb = false;
  bool exif = false;
  std::string font;
  std::string class_names;
  int64_t max_patches = 0;
  bool allow_empty = false;
  bool rescale_16bit = false;
  int64_t max_pixels = 0;
  int64_t min_pixels = 0;
  std::string alpha = "white";
  int64_t dpi = 200;
  std::string pdf_password;
};

std::vector<Flag> PictureFlagTable(PictureFlags& flags);

/// Sets what the flags say about pictures.
void Apply(const PictureFlags& flags, SessionOptions& session);

}  // namespace vernier
