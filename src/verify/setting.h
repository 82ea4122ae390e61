// A way to run a model, in words: "device=cpu,dtype=bf16". What it leaves open is as in the options
// that it is applied to.
#pragma once

#include <string>
#include <string_view>

#include "vernier/session.h"

namespace vernier {

/// Whether a side of a comparison is a setting and not a path: KEY=VALUE, and no file of that name.
bool IsSetting(const std::string& side);

/// Throws Error{kUsage} for a key or a value that is not known, naming the nearest one that is.
SessionOptions ApplySetting(const std::string& setting, SessionOptions options);

}  // namespace vernier
