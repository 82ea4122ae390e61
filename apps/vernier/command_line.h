// The whole command: words in, exit code out.
#pragma once

#include <span>
#include <string>

namespace vernier {

/// Runs what `words` (without the program's name) asks for, reports on the standard streams, and
/// returns the exit code. Throws nothing.
int RunCommandLine(std::span<const std::string> words);

}  // namespace vernier
