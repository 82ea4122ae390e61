// A file that appears whole or not at all: written under a temporary name in the same folder,
// flushed to disk, then renamed. Devices and pipes (/dev/stdout) are written directly.
// Not thread-safe; one owner writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vernier {

class AtomicFile {
 public:
  /// Throws Error when the folder does not exist or cannot be written to.
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file unless Commit succeeded; the old file, if any, is untouched.
  ~AtomicFile();

  /// Throws Error{kResource} when the disk, a quota or the file size limit is full.
  void Write(std::span<const uint8_t> bytes);
  void Write(std::string_view text);

  /// Makes the content visible under the path, replacing what was there.
  void Commit();

 private:
  void OpenTemporary();

  std::string path_;
  std::string temporary_;  // empty when the target is written directly
  int descriptor_ = -1;
};

/// Writes all of `content` to `path` as an AtomicFile.
void WriteFileAtomically(const std::string& path, std::string_view content);

}  // namespace vernier
