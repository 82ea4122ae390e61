// A file mapped for reading. Refuses what is not a regular file and never blocks on a FIFO.
// A file that another program shortens while it is mapped reads as zeros from then on and is
// reported by CheckIntact, where the plain map would kill the process with SIGBUS.
// Move-only; all const members may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vernier {

class MappedFile {
 public:
  /// Throws Error when `path` cannot be opened, is no regular file, or cannot be mapped.
  static MappedFile Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

  /// Drops the pages that lie wholly inside `range`, a part of bytes(); they are read again from
  /// the file when touched.
  void ReleasePages(std::span<const uint8_t> range) const;

  /// Throws Error{kInput} naming the file when it is now shorter than when it was opened.
  void CheckIntact() const;

 private:
  MappedFile() = default;
  void Close();

  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  int descriptor_ = -1;
  int guard_ = -1;  // slot of this map in the table that the SIGBUS handler reads
};

}  // namespace vernier
