// Winograd's forms against the direct sum in fp64, on maps of awkward sizes.
#include "backends/cpu/winograd_conv.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

struct Problem {
  int64_t batch = 1, height = 1, width = 1, in = 1, out = 1;
  WinogradForm form = WinogradForm::kF4;
  DType product = DType::kF32;
  Element x = Element::kF32, y = Element::kF32;
  bool bias = false, residual = false, relu = false;

  int64_t pixels() const { return batch * height * width; }
};

struct Filters {
  std::vector<float> values;  // [out][in][3][3]
  std::vector<float> bias;

  Filters(const Problem& p, uint32_t seed) {
    std::mt19937 random(seed);
    // As trained networks have them: a sum of all taps keeps the size of its inputs (He).
    std::normal_distribution<float> normal(0.0f,
                                           std::sqrt(2.0f / (9.0f * static_cast<float>(p.in))));
    values.resize(static_cast<size_t>(p.out * p.in * 9));
    for (float& value : values) value = normal(random);
    bias.resize(static_cast<size_t>(p.out));
    for (float& value : bias) value = normal(random);
  }
};

// A map as an activation leaves it: not negative.
TestRows RandomMap(int64_t pixels, int64_t channels, Element element, uint32_t seed) {
  TestRows map(pixels, channels, element);
  map.FillNormal(pixels, channels, seed);
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; ++c) map.Set(p, c, std::max(0.0f, map.Get(p, c)));
  }
  return map;
}

struct Operands {
  TestRows x, residual;
  Filters filters;

  explicit Operands(const Problem& p)
      : x(RandomMap(p.pixels(), p.in, p.x, 1)),
        residual(RandomMap(p.pixels(), p.out, p.x, 2)),
        filters(p, 3) {}
};

TestRows Convolve(const Problem& p, Operands& operands, Isa isa, int threads = 1) {
  const WinogradLayout layout = WinogradLayoutFor(isa, p.form, p.product, p.out, p.in);
  Tensor packed(DType::kU8, Shape{static_cast<int64_t>(layout.bytes())});
  PackWinograd(layout, operands.filters.values.data(), packed.data(), threads);
  TestRows y(p.pixels(), p.out, p.y);
  const WinogradConv conv({.weights = layout,
                           .batch = p.batch,
                           .height = p.height,
                           .width = p.width,
                           .x = p.x,
                           .x_stride = operands.x.stride(),
                           .y = p.y,
                           .y_stride = y.stride(),
                           .residual = p.x,
                           .residual_stride = operands.residual.stride(),
                           .relu = p.relu,
                           .isa = isa,
                           .threads = threads});
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(conv.scratch_bytes())});
  conv.Run({.x = operands.x.data(),
            .weights = packed.data(),
            .bias = p.bias ? operands.filters.bias.data() : nullptr,
            .residual = p.residual ? operands.residual.data() : nullptr,
            .y = y.data(),
            .scratch = scratch.data()});
  return y;
}

double Direct(const Problem& p, const Operands& operands, int64_t picture, int64_t row,
              int64_t column, int64_t channel) {
  double sum = p.bias ? operands.filters.bias[static_cast<size_t>(channel)] : 0.0;
  for (int64_t tap = 0; tap < 9; ++tap) {
    const int64_t y = row + tap / 3 - 1, x = column + tap % 3 - 1;
    if (y < 0 || y >= p.height || x < 0 || x >= p.width) continue;
    for (int64_t c = 0; c < p.in; ++c) {
      const auto at = static_cast<size_t>((channel * p.in + c) * 9 + tap);
      sum += double{operands.filters.values[at]} *
             operands.x.Get((picture * p.height + y) * p.width + x, c);
    }
  }
  if (p.residual) {
    sum += operands.residual.Get((picture * p.height + row) * p.width + column, channel);
  }
  return p.relu ? std::max(0.0, sum) : sum;
}

// Of a whole layer, against its largest value: what the forms' arithmetic loses. The published
// amplification of F(4x4) is two digits of fp32 in the worst case, one in the mean; products of
// bf16 round values and filters to 8 bits each.
double Allowed(const Problem& p) {
  const double product = p.product == DType::kBF16 ? 0x1p-6 : 1e-5;
  return product + (p.y == Element::kBf16 ? 0x1p-8 : 0.0);
}

void ExpectDirectSums(const Problem& p, Isa isa) {
  Operands operands(p);
  const TestRows y = Convolve(p, operands, isa);
  double largest = 0, worst = 0;
  for (int64_t pixel = 0; pixel < p.pixels(); ++pixel) {
    const int64_t picture = pixel / (p.height * p.width), in_map = pixel % (p.height * p.width);
    for (int64_t c = 0; c < p.out; ++c) {
      const double expected = Direct(p, operands, picture, in_map / p.width, in_map % p.width, c);
      const double found = y.Get(pixel, c);
      ASSERT_FALSE(std::isnan(found)) << "pixel " << pixel << ", channel " << c;
      largest = std::max(largest, std::abs(expected));
      worst = std::max(worst, std::abs(found - expected));
    }
    ASSERT_TRUE(std::isnan(y.Get(pixel, p.out))) << "wrote behind the channels of " << pixel;
  }
  EXPECT_LE(worst, Allowed(p) * largest)
      << p.batch << "x" << p.height << "x" << p.width << ", " << p.in << " to " << p.out;
}

struct Form {
  WinogradForm form;
  DType product;
  Element map;
};

constexpr Form kForms[] = {{WinogradForm::kF2, DType::kF32, Element::kF32},
                           {WinogradForm::kF4, DType::kF32, Element::kF32},
                           {WinogradForm::kF4, DType::kF32, Element::kBf16},
                           {WinogradForm::kF2, DType::kBF16, Element::kBf16},
                           {WinogradForm::kF2, DType::kBF16, Element::kF32}};

class WinogradConvs : public EachIsa {};

TEST_P(WinogradConvs, EqualDirectSumsOnMapsOfEverySize) {
  for (const Form& form : kForms) {
    for (const int64_t height : {1, 2, 4, 5, 11}) {
      for (const int64_t width : {1, 3, 4, 6, 13}) {
        ExpectDirectSums({.height = height,
                          .width = width,
                          .in = 5,
                          .out = 3,
                          .form = form.form,
                          .product = form.product,
                          .x = form.map,
                          .y = form.map},
                         GetParam());
      }
    }
  }
}

TEST_P(WinogradConvs, EqualDirectSumsWithAnyNumberOfChannels) {
  for (const Form& form : kForms) {
    for (const auto& [in, out] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 64}, {17, 65}, {64, 130}}) {
      ExpectDirectSums({.height = 6,
                        .width = 7,
                        .in = in,
                        .out = out,
                        .form = form.form,
                        .product = form.product,
                        .x = form.map,
                        .y = form.map},
                       GetParam());
    }
  }
}

TEST_P(WinogradConvs, AddBiasAndResidualAndTakeTheRelu) {
  for (const Form& form : kForms) {
    for (const bool relu : {false, true}) {
      ExpectDirectSums({.batch = 3,
                        .height = 5,
                        .width = 9,
                        .in = 19,
                        .out = 21,
                        .form = form.form,
                        .product = form.product,
                        .x = form.map,
                        .y = Element::kF32,
                        .bias = true,
                        .residual = true,
                        .relu = relu},
                       GetParam());
    }
  }
}

TEST_P(WinogradConvs, GiveTheSameBitsOnManyThreadsAndInABatch) {
  for (const Form& form : kForms) {
    const Problem together{.batch = 3,
                           .height = 21,
                           .width = 18,
                           .in = 33,
                           .out = 70,
                           .form = form.form,
                           .product = form.product,
                           .x = form.map,
                           .y = form.map,
                           .bias = true};
    Problem alone = together;
    alone.batch = 1;
    Operands operands(together);
    const TestRows one = Convolve(alone, operands, GetParam());
    for (const int threads : {1, 2, 5}) {
      const TestRows all = Convolve(together, operands, GetParam(), threads);
      for (int64_t pixel = 0; pixel < alone.pixels(); ++pixel) {
        for (int64_t c = 0; c < together.out; ++c) {
          ASSERT_EQ(one.Get(pixel, c), all.Get(pixel, c)) << threads << " threads";
        }
      }
    }
  }
}

struct LayerErrors {
  double mean;   // root mean square, of the result's
  double worst;  // of the largest result
};

LayerErrors ErrorsOf(const Problem& p, Isa isa) {
  Operands operands(p);
  const TestRows y = Convolve(p, operands, isa);
  double errors = 0, values = 0, worst = 0, largest = 0;
  for (int64_t pixel = 0; pixel < p.pixels(); ++pixel) {
    for (int64_t c = 0; c < p.out; ++c) {
      const double expected = Direct(p, operands, 0, pixel / p.width, pixel % p.width, c);
      const double error = std::abs(y.Get(pixel, c) - expected);
      errors += error * error;
      values += expected * expected;
      worst = std::max(worst, error);
      largest = std::max(largest, std::abs(expected));
    }
  }
  return {.mean = std::sqrt(errors / values), .worst = worst / largest};
}

// docs/guide/blendmask.md states these bounds.
TEST_P(WinogradConvs, LoseNoMoreThanTheGuideStates) {
  for (const int64_t in : {64, 256, 512}) {
    Problem p{.height = 16, .width = 16, .in = in, .out = 16};
    const LayerErrors f32 = ErrorsOf(p, GetParam());
    EXPECT_LE(f32.mean, 2e-6) << in << " channels";
    EXPECT_LE(f32.worst, 1e-5) << in << " channels";
    p.form = WinogradForm::kF2;
    p.product = DType::kBF16;
    p.x = Element::kBf16;
    const LayerErrors bf16 = ErrorsOf(p, GetParam());
    EXPECT_LE(bf16.mean, 4e-3) << in << " channels";
    EXPECT_LE(bf16.worst, 8e-3) << in << " channels";
  }
}

TEST_P(WinogradConvs, LetNanThroughTheRelu) {
  const Problem p{.height = 4, .width = 4, .in = 4, .out = 4, .relu = true};
  Operands operands(p);
  operands.x.Set(5, 1, std::nanf(""));
  EXPECT_TRUE(std::isnan(Convolve(p, operands, GetParam()).Get(5, 0)));
}

INSTANTIATE_TEST_SUITE_P(Isa, WinogradConvs, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
