// What the kernel tests share: seeded data, rows that lie misaligned and apart, and the instruction
// sets to test. Each test runs every version this machine has and names those it has not.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/cpu_features.h"
#include "core/float_types.h"
#include "kernels/cpu/element.h"

namespace vernier::testing {

/// Sizes around every vector width in use (4, 8, 16) and around four vectors of 16.
inline const std::vector<int64_t> kColumns = {0,  1,  3,  4,  5,  7,  8,  9,
                                              15, 16, 17, 31, 63, 64, 65, 197};

class EachIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!Cpu().Has(GetParam())) {
      GTEST_SKIP() << "this CPU has no " << Name(GetParam()) << " instructions";
    }
  }
};

inline const auto kVectorIsas =
    ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16, Isa::kNeon);

inline std::string IsaName(const ::testing::TestParamInfo<Isa>& info) { return Name(info.param); }

/// Rows of floats or bf16 with a gap between rows, starting one element off any alignment. The gap
/// holds NaN, so that reading it shows.
class TestRows {
 public:
  TestRows(int64_t rows, int64_t columns, Element element, int64_t gap = 3)
      : element_(element), stride_(columns + gap) {
    const size_t count = static_cast<size_t>(1 + rows * stride_ + gap);
    floats_.assign(count, std::nanf(""));
    bits_.assign(count, ToBf16(std::nanf("")));
  }

  TestRows& FillNormal(int64_t rows, int64_t columns, uint32_t seed, float scale = 1.0f,
                       float offset = 0.0f) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(offset, scale);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) Set(r, c, normal(random));
    }
    return *this;
  }

  void Set(int64_t row, int64_t column, float value) {
    floats_[Index(row, column)] = value;
    bits_[Index(row, column)] = ToBf16(value);
  }
  float Get(int64_t row, int64_t column) const {
    return element_ == Element::kF32 ? floats_[Index(row, column)]
                                     : FromBf16(bits_[Index(row, column)]);
  }
  void* data() {
    return element_ == Element::kF32 ? static_cast<void*>(floats_.data() + 1)
                                     : static_cast<void*>(bits_.data() + 1);
  }
  float* floats() { return floats_.data() + 1; }
  Element element() const { return element_; }
  int64_t stride() const { return stride_; }
  /// At most this much is lost in storing a value of this size (half a unit in its last place).
  double Rounding(double value) const {
    return std::abs(value) * (element_ == Element::kF32 ? 0x1p-24 : 0x1p-8) + 1e-38;
  }

 private:
  size_t Index(int64_t row, int64_t column) const {
    return static_cast<size_t>(1 + row * stride_ + column);
  }

  Element element_;
  int64_t stride_;
  std::vector<float> floats_;
  std::vector<uint16_t> bits_;
};

}  // namespace vernier::testing
