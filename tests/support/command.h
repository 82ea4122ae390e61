// The command under test, and the models that its tests run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/spawn.h"

namespace vernier {

/// The command as tests start it: built with them, or a script that calls the emulator.
const std::string& CommandPath();

inline SpawnResult Vernier(std::vector<std::string> words, const SpawnOptions& options = {}) {
  words.insert(words.begin(), CommandPath());
  return Spawn(words, options);
}

inline std::string Golden(const std::string& name) {
  return std::string(VERNIER_TEST_DATA) + "/goldens/" + name;
}

/// The trained classifier that the repository ships.
inline std::string DigitsModel() { return std::string(VERNIER_SOURCE_DIR) + "/models/digits-vit"; }

}  // namespace vernier
