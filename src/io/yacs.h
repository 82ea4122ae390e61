// Configuration files of yacs, as detectron2 and AdelaiDet publish them: YAML in which a file may
// name another under `_BASE_` and change some of its keys, and tuples are written as Python writes
// them.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"

namespace vernier {

/// The whole tree of a file and of those that it stands on. Throws Error{kInput} naming the file
/// that is missing, unreadable, no mapping, or part of a chain without end.
Json ReadYacs(const std::string& path);

/// The file and those that it stands on, nearest first.
std::vector<std::string> YacsChain(const std::string& path);

}  // namespace vernier
