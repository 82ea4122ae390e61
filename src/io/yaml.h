// YAML 1.1 as PyYAML's safe loader reads it (both stand on libyaml), as Json values: what
// configuration files of detectron2 are written in. Depth, count and what aliases expand to are
// bounded; duplicate keys, tags beyond YAML's own and several documents are refused.
#pragma once

#include <string>
#include <string_view>

#include "io/json.h"

namespace vernier {

/// Throws Error{kInput} naming `source` (a file's path), line and column. An empty text is null.
Json ParseYaml(std::string_view text, const std::string& source, const JsonLimits& limits = {});

/// What a plain (unquoted) scalar means: null, true, 12, 0x1f, 1.5, or itself as a string. Numbers
/// that no finite double holds stay strings.
Json YamlScalar(std::string_view text);

}  // namespace vernier
