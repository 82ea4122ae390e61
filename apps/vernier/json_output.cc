#include "json_output.h"

#include <filesystem>

#include "io/atomic_file.h"

namespace vernier {

void CheckOutputPath(const std::string& path) {
  // A device or pipe is there, and opening it twice would end what reads from it.
  std::error_code error;
  const std::filesystem::file_status found = std::filesystem::status(path, error);
  const bool other = std::filesystem::exists(found) && !std::filesystem::is_directory(found) &&
                     !std::filesystem::is_regular_file(found);
  if (!path.empty() && path != "-" && !other) const AtomicFile writable(path);
}

void WriteJsonOutput(const std::string& path, std::string_view text, Terminal& terminal) {
  if (path == "-") {
    terminal.Write(text);
    terminal.Flush();
  } else {
    WriteFileAtomically(path, text);
  }
}

}  // namespace vernier
