// For tests: small zip archives without compression, with the lies that hostile ones tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vernier {

struct ZipEntry {
  std::string name = {};
  std::string data = {};
  uint16_t flags = 0;
  uint16_t method = 0;
  std::optional<std::string> local_name = {};  // another name before the data
  std::optional<uint32_t> local_bytes = {};    // another size before the data
  std::optional<uint32_t> claimed_bytes = {};  // another uncompressed size in the directory
  std::optional<uint32_t> offset = {};         // another place in the directory
};

struct ZipLies {
  std::optional<uint16_t> entries = {};
  std::optional<uint32_t> directory_offset = {};
  bool zip64 = false;
  std::optional<uint64_t> zip64_entries = {};
};

inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

inline std::string MakeZip(const std::vector<ZipEntry>& entries, const ZipLies& lies = {}) {
  std::string file, directory;
  for (const ZipEntry& entry : entries) {
    const uint64_t offset = entry.offset.value_or(static_cast<uint32_t>(file.size()));
    const std::string name = entry.local_name.value_or(entry.name);
    const uint64_t local_bytes =
        entry.local_bytes.value_or(static_cast<uint32_t>(entry.data.size()));
    file += "PK\3\4" + LittleEndian(20, 2) + LittleEndian(entry.flags, 2) +
            LittleEndian(entry.method, 2) + LittleEndian(0, 8) + LittleEndian(local_bytes, 4) +
            LittleEndian(local_bytes, 4) + LittleEndian(name.size(), 2) + LittleEndian(0, 2) +
            name + entry.data;
    const uint64_t claimed = entry.claimed_bytes.value_or(static_cast<uint32_t>(entry.data.size()));
    directory += "PK\1\2" + LittleEndian(20, 2) + LittleEndian(20, 2) +
                 LittleEndian(entry.flags, 2) + LittleEndian(entry.method, 2) + LittleEndian(0, 8) +
                 LittleEndian(entry.data.size(), 4) + LittleEndian(claimed, 4) +
                 LittleEndian(entry.name.size(), 2) + std::string(12, '\0') +
                 LittleEndian(offset, 4) + entry.name;
  }
  const uint64_t at = lies.directory_offset.value_or(static_cast<uint32_t>(file.size()));
  const uint64_t count = lies.entries.value_or(static_cast<uint16_t>(entries.size()));
  const uint64_t end64 = file.size() + directory.size();
  file += directory;
  if (lies.zip64) {
    const uint64_t count64 = lies.zip64_entries.value_or(count);
    file += "PK\6\6" + LittleEndian(44, 8) + std::string(12, '\0') + LittleEndian(count64, 8) +
            LittleEndian(count64, 8) + LittleEndian(directory.size(), 8) + LittleEndian(at, 8);
    file += "PK\6\7" + LittleEndian(0, 4) + LittleEndian(end64, 8) + LittleEndian(1, 4);
  }
  return file + "PK\5\6" + LittleEndian(0, 4) + LittleEndian(count, 2) + LittleEndian(count, 2) +
         LittleEndian(directory.size(), 4) + LittleEndian(at, 4) + LittleEndian(0, 2);
}

}  // namespace vernier
