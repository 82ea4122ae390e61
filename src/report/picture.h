// Pictures inside of a page: a file as a data URI, so that the page needs nothing beside it.
#pragma once

#include <span>
#include <string>

namespace vernier {

/// Larger files are left out of a page.
inline constexpr size_t kMaxPictureBytes = size_t{768} << 10;

/// "data:image/png;base64,…" for PNG, JPEG, WebP and GIF files as browsers show them; empty for
/// anything else, for large files and for files that cannot be read.
std::string PictureUri(const std::string& path);

/// RFC 4648, with padding.
std::string Base64(std::string_view bytes);

}  // namespace vernier
