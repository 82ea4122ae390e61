// Breaking a question into lines as Python 3.11's textwrap does by default, on code points.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

/// The lines of UTF-8 `text`, none longer than `width`: tabs become blanks up to the next multiple
/// of 8, all other white space of ASCII one blank, blanks at line ends go. No line at all for a
/// text of blanks.
std::vector<std::u32string> WrapText(std::string_view text, size_t width);

}  // namespace vernier
