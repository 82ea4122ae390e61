// How numbers lie in memory, for kernels: fp32, or bf16 as its 16 bits. Every kernel computes in
// fp32 and rounds to nearest even when it stores bf16.
#pragma once

#include <cstdint>

namespace vernier {

enum class Element : uint8_t { kF32, kBf16 };

constexpr int64_t ElementBytes(Element element) { return element == Element::kF32 ? 4 : 2; }

}  // namespace vernier
