#include "support/command.h"

namespace vernier {

// The only file that knows where the build lies: presets share what the compiler made of the
// others.
const std::string& CommandPath() {
  static const std::string path = VERNIER_COMMAND;
  return path;
}

}  // namespace vernier
