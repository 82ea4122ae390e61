// Sizes for people: binary units, three digits.
#pragma once

#include <cstdint>
#include <string>

namespace vernier {

/// "512 B", "1.50 KiB", "345 MiB", "15.6 GiB".
std::string BytesText(int64_t bytes);

}  // namespace vernier
