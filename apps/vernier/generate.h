// Files made from the verb table for an installed command: man page and shell completions.
#pragma once

#include <string>
#include <string_view>

namespace vernier {

/// `kind` is "man", "bash" or "zsh"; anything else throws Error{kUsage}.
std::string Generate(std::string_view kind);

}  // namespace vernier
