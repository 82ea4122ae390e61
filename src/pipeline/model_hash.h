// Which checkpoint a result came from, as one hash.
#pragma once

#include <string>

namespace vernier {

/// SHA-256 over the names and contents of the weights and of the configuration and tokenizer files
/// beside them, in the order of their names; of a single weights file, over that file alone. Other
/// files (cards, pictures, logs) do not count, nor does where the folder lies. Throws Error{kInput}
/// for files that cannot be read.
std::string HashOfModel(const std::string& path);

}  // namespace vernier
