#include "json_output.h"

#include "io/atomic_file.h"

namespace vernier {

void WriteJsonOutput(const std::string& path, std::string_view text, Terminal& terminal) {
  if (path == "-") {
    terminal.Write(text);
    terminal.Flush();
  } else {
    WriteFileAtomically(path, text);
  }
}

}  // namespace vernier
