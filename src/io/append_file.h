// A file that grows line by line and survives its writer: one process writes it at a time, a line
// is on disk when Append returns, and a line that was cut short by a crash is left out when it is
// opened again. For results of long work. Not thread-safe; one owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernier {

class AppendFile {
 public:
  /// Opens or creates a regular file and locks it until this object goes. Throws Error{kInput} when
  /// another process holds the lock, and for what cannot grow (folders, pipes).
  explicit AppendFile(std::string path);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();

  const std::string& path() const { return path_; }

  /// All that the file holds now.
  std::string Content() const;

  /// Cuts everything behind `bytes` off.
  void Truncate(int64_t bytes);

  /// Adds `lines`, which end in a newline. Throws Error{kResource} when the disk is full; the file
  /// then ends where it ended before.
  void Append(std::string_view lines);

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t bytes_ = 0;
};

}  // namespace vernier
