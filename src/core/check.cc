#include "core/check.h"

#include <fmt/format.h>

namespace vernier {

void CheckFailed(const char* condition, const char* file, int line, const std::string& detail) {
  throw Error(ErrorKind::kInternal,
              fmt::format("internal check failed: {} at {}:{}{}{}", condition, file, line,
                          detail.empty() ? "" : ": ", detail),
              "this is a fault of vernier itself; please report it with the command line");
}

}  // namespace vernier
