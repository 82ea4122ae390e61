#include "kernels/cpu/elementwise.h"

#include <cstring>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class ElementwiseKernels : public EachIsa {};

constexpr Element kElements[] = {Element::kF32, Element::kBf16};

ConstElementRows Input(TestRows& rows) { return {rows.data(), rows.element(), rows.stride()}; }
ElementRows Output(TestRows& rows) { return {rows.data(), rows.element(), rows.stride()}; }

TEST_P(ElementwiseKernels, AddRowsAndRepeatTheSecondInput) {
  constexpr int64_t kRows = 5, kPeriod = 2;
  for (int64_t columns : kColumns) {
    for (int mix = 0; mix < 8; ++mix) {
      TestRows a(kRows, columns, kElements[mix & 1]), b(kPeriod, columns, kElements[mix / 2 & 1]);
      TestRows out(kRows, columns, kElements[mix / 4]);
      a.FillNormal(kRows, columns, 1);
      b.FillNormal(kPeriod, columns, 2);
      SelectElementwise(GetParam())
          .add({.rows = kRows,
                .columns = columns,
                .a = Input(a),
                .b = Input(b),
                .b_period = kPeriod,
                .out = Output(out)});
      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          const float sum = a.Get(r, c) + b.Get(r % kPeriod, c);
          ASSERT_EQ(out.Get(r, c), out.element() == Element::kF32 ? sum : FromBf16(ToBf16(sum)));
        }
      }
    }
  }
}

TEST_P(ElementwiseKernels, MultiplyColumnsByTheirFactors) {
  constexpr int64_t kRows = 3;
  for (int64_t columns : kColumns) {
    TestRows in(kRows, columns, Element::kBf16), out(kRows, columns, Element::kF32);
    TestRows factors(1, columns, Element::kF32);
    in.FillNormal(kRows, columns, 1);
    factors.FillNormal(1, columns, 2);
    SelectElementwise(GetParam())
        .scale_columns({.rows = kRows,
                        .columns = columns,
                        .in = Input(in),
                        .factors = factors.floats(),
                        .out = Output(out)});
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        ASSERT_EQ(out.Get(r, c), in.Get(r, c) * factors.Get(0, c));
      }
    }
  }
}

double Reference(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kRelu:
      return std::max(0.0, x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

TEST_P(ElementwiseKernels, ActivateWithinOneMillionth) {
  constexpr int64_t kCount = 40001;  // from -20 to 20 in steps of a thousandth
  for (Activation activation :
       {Activation::kNone, Activation::kGeluErf, Activation::kGeluTanh, Activation::kQuickGelu,
        Activation::kRelu, Activation::kTanh, Activation::kSilu}) {
    for (Element out_element : kElements) {
      TestRows in(1, kCount, Element::kF32), out(1, kCount, out_element);
      for (int64_t i = 0; i < kCount; ++i) in.Set(0, i, static_cast<float>(i - 20000) * 1e-3f);
      SelectElementwise(GetParam())
          .activate({.rows = 1,
                     .columns = kCount,
                     .in = Input(in),
                     .activation = activation,
                     .out = Output(out)});
      for (int64_t i = 0; i < kCount; ++i) {
        const double expected = Reference(activation, in.Get(0, i));
        // A few ulp of values up to 20, and the GELUs' promised absolute error.
        ASSERT_NEAR(out.Get(0, i), expected,
                    1e-6 + 4 * 0x1p-24 * std::abs(expected) + out.Rounding(expected))
            << "activation " << static_cast<int>(activation) << " of " << in.Get(0, i);
      }
    }
  }
}

TEST_P(ElementwiseKernels, ActivateRowsOfAnyLength) {
  for (int64_t columns : kColumns) {
    for (Element in_element : kElements) {
      TestRows in(2, columns, in_element), out(2, columns, Element::kF32);
      in.FillNormal(2, columns, 1);
      SelectElementwise(GetParam())
          .activate({.rows = 2,
                     .columns = columns,
                     .in = Input(in),
                     .activation = Activation::kGeluErf,
                     .out = Output(out)});
      for (int64_t r = 0; r < 2; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          ASSERT_NEAR(out.Get(r, c), Reference(Activation::kGeluErf, in.Get(r, c)), 1e-6);
        }
        EXPECT_TRUE(std::isnan(out.floats()[r * out.stride() + columns])) << "wrote past a row";
      }
    }
  }
}

TEST_P(ElementwiseKernels, KeepSpecialValuesThroughTanhAndGelu) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float in[] = {kInfinity, -kInfinity, std::nanf(""), 0.0f, 1e-30f}, out[5];
  const auto apply = [&](Activation activation) {
    SelectElementwise(GetParam())
        .activate({.rows = 1,
                   .columns = 5,
                   .in = {in, Element::kF32, 5},
                   .activation = activation,
                   .out = {out, Element::kF32, 5}});
  };
  apply(Activation::kTanh);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], -1.0f);
  EXPECT_TRUE(std::isnan(out[2]));
  EXPECT_EQ(out[4], 1e-30f);
  apply(Activation::kGeluErf);
  EXPECT_EQ(out[0], kInfinity);
  EXPECT_TRUE(std::isnan(out[2]));
  EXPECT_EQ(out[3], 0.0f);
}

TEST_P(ElementwiseKernels, CastToBf16ToNearestEvenAndKeepNan) {
  std::vector<float> in;
  for (uint32_t high = 0; high < 0x10000; ++high) {
    for (uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const uint32_t bits = high << 16 | low;
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      in.push_back(value);
    }
  }
  std::vector<uint16_t> out(in.size());
  const int64_t count = static_cast<int64_t>(in.size());
  SelectElementwise(GetParam())
      .activate({.rows = 1,
                 .columns = count,
                 .in = {in.data(), Element::kF32, count},
                 .out = {out.data(), Element::kBf16, count}});
  for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(out[i], ToBf16(in[i])) << in[i];
}

TEST_P(ElementwiseKernels, AverageRows) {
  constexpr int64_t kRows = 1025;
  for (int64_t columns : kColumns) {
    TestRows in(kRows, columns, Element::kF32), out(1, columns, Element::kF32);
    in.FillNormal(kRows, columns, 1, 1.0f, 3.0f);
    SelectElementwise(GetParam())
        .mean_rows({.rows = kRows,
                    .columns = columns,
                    .in = in.floats(),
                    .in_stride = in.stride(),
                    .out = out.floats()});
    for (int64_t c = 0; c < columns; ++c) {
      double sum = 0.0, size = 0.0;
      for (int64_t r = 0; r < kRows; ++r) {
        sum += in.Get(r, c);
        size += std::abs(in.Get(r, c));
      }
      // Groups of 32 rows, then 33 sums: 65 additions in a chain, one product.
      EXPECT_NEAR(out.Get(0, c), sum / kRows, 66 * 0x1p-24 * size / kRows);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, ElementwiseKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
