// The directory of a zip archive whose members are stored without compression, as PyTorch writes
// them. Everything that could make two readers see two archives is refused: names that occur twice
// or leave the folder, a directory that disagrees with the members, members that overlap.
// Compressed members are refused by name, so no archive can grow when it is read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

struct ZipMember {
  std::string name;
  std::span<const uint8_t> data;  // in the memory of the archive
};

/// Whether `file` begins as a zip archive does.
bool LooksLikeZip(std::span<const uint8_t> file);

/// Throws Error{kInput} naming `path`, and the member where there is one.
std::vector<ZipMember> ReadZip(std::span<const uint8_t> file, const std::string& path);

}  // namespace vernier
