// The environment of a result as rows of a table: what it ran on, with what, from which files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/json.h"
#include "report/document.h"

namespace vernier {

/// Scalar members of the result and of its objects "machine", "environment", "reference" and
/// "candidate", as rows "machine.cpu_model", value; lists as one line.
std::vector<std::vector<Cell>> Manifest(const Json& content);

/// `words` as one could paste them into a shell, whole however long.
std::string ShellLine(std::span<const std::string> words);

/// The command line that made the result; empty where it does not say.
std::string CommandOf(const Json& content);

}  // namespace vernier
