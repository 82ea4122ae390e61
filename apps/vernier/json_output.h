// Where results go: a file that appears complete or not at all, or standard output for "-".
#pragma once

#include <string>
#include <string_view>

#include "terminal.h"

namespace vernier {

/// Refuses a path that cannot be written, as WriteJsonOutput would after minutes of work. An empty
/// path is none.
void CheckOutputPath(const std::string& path);

/// Throws Error{kInput} naming the path that cannot be written, Error{kResource} on a full disk.
void WriteJsonOutput(const std::string& path, std::string_view text, Terminal& terminal);

}  // namespace vernier
