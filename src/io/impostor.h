// Files that stand where weights should be: empty downloads, Git LFS pointers, error pages.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vernier {

/// Throws Error{kInput} that says what `file` really is, when it is one of those.
void RefuseImpostor(std::span<const uint8_t> file, const std::string& path);

}  // namespace vernier
