// Versions of the third-party libraries that this process has really loaded, which may differ
// from those it was compiled against.
#pragma once

#include <string>
#include <vector>

namespace vernier {

struct LibraryVersion {
  std::string name;
  std::string version;  // empty: not part of this build
  std::string used_for;
};

std::vector<LibraryVersion> LoadedLibraries();

}  // namespace vernier
