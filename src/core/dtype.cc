#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/float_types.h"
#include "vernier/tensor.h"

namespace vernier {

size_t ByteSize(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kI64:
    case DType::kU64:
      return 8;
    case DType::kF32:
    case DType::kI32:
    case DType::kU32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16:
    case DType::kU16:
      return 2;
    case DType::kF8E4M3:
    case DType::kF8E5M2:
    case DType::kI8:
    case DType::kU8:
    case DType::kBool:
      return 1;
  }
  VN_CHECK(false, "unknown dtype");
}

const char* Name(DType dtype) {
  constexpr const char* kNames[] = {"f64", "f32", "f16", "bf16", "f8_e4m3", "f8_e5m2", "i64", "i32",
                                    "i16", "i8",  "u64", "u32",  "u16",     "u8",      "bool"};
  return kNames[static_cast<size_t>(dtype)];
}

bool IsFloat(DType dtype) { return dtype <= DType::kF8E5M2; }

namespace {

// Value of a small float with `exponent_bits` and `mantissa_bits`, without its special codes.
float SmallFloat(uint32_t bits, int exponent_bits, int mantissa_bits) {
  const uint32_t mantissa = bits & ((1u << mantissa_bits) - 1);
  const int exponent = static_cast<int>((bits >> mantissa_bits) & ((1u << exponent_bits) - 1));
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const bool negative = (bits >> (exponent_bits + mantissa_bits)) & 1u;
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissa_bits)
                              : std::ldexp(static_cast<float>(mantissa | (1u << mantissa_bits)),
                                           exponent - bias - mantissa_bits);
  return negative ? -magnitude : magnitude;
}

}  // namespace

float FromF16(uint16_t bits) {
  if ((bits & 0x7c00u) == 0x7c00u) {
    if (bits & 0x3ffu) return std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    return bits & 0x8000u ? -infinity : infinity;
  }
  return SmallFloat(bits, 5, 10);
}

uint16_t ToF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds beyond 65504, or infinite
  if (magnitude < 0x38800000u) {                        // subnormal in f16: units of 2^-24
    const float units = std::ldexp(std::bit_cast<float>(magnitude), 24);
    return sign | static_cast<uint16_t>(std::nearbyintf(units));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return sign | static_cast<uint16_t>((rounded - 0x38000000u) >> 13);
}

float FromF8E4M3(uint8_t bits) {
  if ((bits & 0x7fu) == 0x7fu) return std::numeric_limits<float>::quiet_NaN();
  return SmallFloat(bits, 4, 3);
}

float FromF8E5M2(uint8_t bits) {
  // E5M2 is the upper byte of an f16.
  return FromF16(static_cast<uint16_t>(bits << 8));
}

}  // namespace vernier
