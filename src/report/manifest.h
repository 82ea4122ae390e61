// The environment of a result as rows of a table: what it ran on, with what, from which files.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "report/document.h"

namespace vernier {

/// Scalar members of the result and of its objects "machine", "environment", "reference" and
/// "candidate", as rows "machine.cpu_model", value; lists as one line.
std::vector<std::vector<Cell>> Manifest(const Json& content);

/// The command line that made the result; empty where it does not say.
std::string CommandOf(const Json& content);

}  // namespace vernier
