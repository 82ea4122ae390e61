// The sweep grammar of list flags: "1,4,8", "1-4", "8-32+8", "1-64*2", joined by commas.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vernier {

/// Positive whole numbers named by `text`, in its order. Throws Error{kUsage} naming the part that
/// cannot be read, and for more than 1000 values.
std::vector<int64_t> ParseSweep(std::string_view text);

}  // namespace vernier
