// UTF-8 checking, for text that comes from file names and foreign files.
#pragma once

#include <cstddef>
#include <string_view>

namespace vernier {

/// Bytes of the well-formed UTF-8 character that `text` begins with; 0 when it begins with none
/// (overlong forms, surrogates and code points beyond U+10FFFF are not well-formed).
size_t Utf8Length(std::string_view text);

}  // namespace vernier
