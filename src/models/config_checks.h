// Bounds on hyper-parameters from config files: refused by name before anything is allocated.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "io/json.h"
#include "ops/elementwise.h"

namespace vernier {

/// The integer `key` within [low, high]; `otherwise` when absent.
int64_t BoundedInt(const Json& config, std::string_view key, int64_t otherwise, int64_t low,
                   int64_t high);

/// A size that is an integer or [height, width], each within [1, high].
std::pair<int64_t, int64_t> BoundedSize(const Json& config, std::string_view key, int64_t otherwise,
                                        int64_t high);

/// A part of the configuration; one that is absent has the format's defaults throughout.
const Json& ConfigPart(const Json& config, std::string_view key);

/// A norm's small number, within [0, 1).
double BoundedEpsilon(const Json& config, std::string_view key, double otherwise);

/// A token id of `part`, or of the whole configuration where older files keep it there.
int64_t TokenId(const Json& config, const Json& part, std::string_view key, int64_t otherwise,
                int64_t vocabulary);
/// Likewise, one id or a list of them.
std::vector<int64_t> TokenIds(const Json& config, const Json& part, std::string_view key,
                              int64_t otherwise, int64_t vocabulary);

/// An activation by the name that transformers uses; throws for one that is not known.
ActivationKind ParseActivation(const Json& config, std::string_view key, const char* otherwise);

/// Throws Error{kInput}: "<file>: <key> …".
[[noreturn]] void ConfigError(const Json& config, std::string_view key, const std::string& message,
                              const std::string& hint = "");

// Far above every published model, far below what would overflow.
inline constexpr int64_t kMaxWidth = 65536;
inline constexpr int64_t kMaxLayers = 1024;
inline constexpr int64_t kMaxImageSide = 16384;
inline constexpr int64_t kMaxTokens = 262144;

}  // namespace vernier
