// Conversions between fp32 and the 16- and 8-bit float formats, as plain scalar code.
// bf16 and f16 round to nearest even; NaN stays NaN. Formulas: IEEE 754-2019, OCP OFP8 1.0.
#pragma once

#include <bit>
#include <cstdint>

namespace vernier {

inline float FromBf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

inline uint16_t ToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t quiet_nan = (bits >> 16) | 0x40u;
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  // A select and no branch, so that loops over it vectorise.
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded);
}

float FromF16(uint16_t bits);
uint16_t ToF16(float value);
float FromF8E4M3(uint8_t bits);
float FromF8E5M2(uint8_t bits);

}  // namespace vernier
