// How much memory this process may still take: what the kernel has to give, within what its control
// group is allowed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vernier {

/// In bytes; nothing where the kernel does not say. `root` stands for "/" in tests.
std::optional<int64_t> FreeMemory(const std::string& root = "");

}  // namespace vernier
