#include "kernels/cpu/rotary.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class RotaryKernels : public EachIsa {};

struct Case {
  RotaryPairs pairs;
  Element in;
  Element out;
};

void ExpectRotated(Isa isa, int64_t head_dim, const Case& c) {
  constexpr int64_t kTokens = 3, kHeads = 2;
  const int64_t half = head_dim / 2, width = kHeads * head_dim;
  TestRows in(kTokens, width, c.in), out(kTokens, width, c.out);
  TestRows cosines(kTokens, half, Element::kF32), sines(kTokens, half, Element::kF32);
  in.FillNormal(kTokens, width, 1);
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t j = 0; j < half; ++j) {
      const double angle = static_cast<double>(t) * std::pow(100.0, -static_cast<double>(j) / 7);
      cosines.Set(t, j, static_cast<float>(std::cos(angle)));
      sines.Set(t, j, static_cast<float>(std::sin(angle)));
    }
  }

  SelectRotary(isa)({.tokens = kTokens,
                     .heads = kHeads,
                     .head_dim = head_dim,
                     .table = {.cos = cosines.floats(),
                               .sin = sines.floats(),
                               .stride = cosines.stride(),
                               .pairs = c.pairs},
                     .in = in.data(),
                     .in_element = c.in,
                     .in_stride = in.stride(),
                     .out = out.data(),
                     .out_element = c.out,
                     .out_stride = out.stride()});

  const bool halves = c.pairs == RotaryPairs::kHalves;
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t pair = 0; pair < kHeads * half; ++pair) {
      const int64_t j = pair % half;
      const int64_t first = pair / half * head_dim + (halves ? j : 2 * j);
      const int64_t second = first + (halves ? half : 1);
      const double a = in.Get(t, first), b = in.Get(t, second);
      const double cos = cosines.Get(t, j), sin = sines.Get(t, j);
      const double tolerance = 4 * 0x1p-24 * (std::abs(a) + std::abs(b));
      const double x = a * cos - b * sin, y = b * cos + a * sin;
      EXPECT_NEAR(out.Get(t, first), x, tolerance + out.Rounding(x)) << "head of " << head_dim;
      EXPECT_NEAR(out.Get(t, second), y, tolerance + out.Rounding(y)) << "head of " << head_dim;
    }
  }
}

TEST_P(RotaryKernels, TurnHalvesAndNeighboursOfHeadsOfAnySize) {
  for (int64_t head_dim : {2, 4, 6, 8, 12, 16, 30, 32, 34, 64, 80}) {
    for (RotaryPairs pairs : {RotaryPairs::kHalves, RotaryPairs::kInterleaved}) {
      for (Element in : {Element::kF32, Element::kBf16}) {
        for (Element out : {Element::kF32, Element::kBf16}) {
          ExpectRotated(GetParam(), head_dim, {pairs, in, out});
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, RotaryKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
