#include <fmt/format.h>

#include "vernier/version.h"

int main() {
  fmt::print("vernier {}\n", vernier::Version());
  return 0;
}
