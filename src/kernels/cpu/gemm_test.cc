// Every kernel that this CPU can run, against fp64 sums of the same operands.
#include "kernels/cpu/gemm.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "core/float_types.h"
#include "kernels/cpu/pack.h"

namespace vernier {
namespace {

struct Case {
  int64_t m = 1;
  int64_t n = 1;
  int64_t k = 1;
  DType a = DType::kF32;
  DType b = DType::kF32;
  DType c = DType::kF32;
  Activation activation = Activation::kNone;
  bool vectors = false;      // bias, scale, residual, and an addend of c's type
  int64_t a_padding = 0;     // elements between rows of a
  int64_t k_cut = 0;         // first call's share of k; 0: one call
  bool all_columns = false;  // multiplied, though the last panel has fewer
  bool widened = false;      // i8 weights by way of a widened panel, where there is one
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << "x" << c.n << "x" << c.k << " " << Name(c.a) << "·" << Name(c.b) << "->"
             << Name(c.c) << " activation " << static_cast<int>(c.activation);
}

std::vector<float> Random(int64_t count, DType precision, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& x : values) {
    x = value(engine);
    if (precision == DType::kBF16) x = FromBf16(ToBf16(x));
  }
  return values;
}

// Memory at an address that is aligned (offset 0) or aligned only to `offset` bytes.
class Bytes {
 public:
  explicit Bytes(size_t size, size_t offset = 0) : tensor_(DType::kU8, Shape{Size(size)}) {
    data_ = static_cast<char*>(tensor_.data()) + offset;
    std::memset(tensor_.data(), 0xff, tensor_.bytes());  // NaN in every float format
  }
  char* data() { return data_; }

 private:
  static int64_t Size(size_t size) { return static_cast<int64_t>(size) + 128; }
  Tensor tensor_;
  char* data_;
};

void StoreAs(DType dtype, float value, char* base, int64_t at) {
  if (dtype == DType::kF32) {
    std::memcpy(base + at * 4, &value, 4);
  } else {
    const uint16_t bits = ToBf16(value);
    std::memcpy(base + at * 2, &bits, 2);
  }
}

float LoadAs(DType dtype, const char* base, int64_t at) {
  float value = 0;
  uint16_t bits = 0;
  if (dtype == DType::kF32) {
    std::memcpy(&value, base + at * 4, 4);
    return value;
  }
  std::memcpy(&bits, base + at * 2, 2);
  return FromBf16(bits);
}

double Exact(Activation activation, double x) {
  switch (activation) {
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    default:
      return x;
  }
}

struct Data {
  std::vector<float> a, w, bias, scale, residual, addend;
};

// Weights that i8 holds exactly: whole steps of 1/128, of which every row has the largest, 127.
std::vector<float> Steps(std::vector<float> w, int64_t k) {
  for (float& x : w) x = std::round(x * 126.0f) / 128.0f;
  for (size_t row = 0; row < w.size(); row += static_cast<size_t>(k)) w[row] = -127.0f / 128.0f;
  return w;
}

Data MakeData(const Case& c) {
  Data data = {.a = Random(c.m * c.k, c.a, 1),
               .w = Random(c.n * c.k, c.b, 2),
               .bias = Random(c.n, DType::kF32, 3),
               .scale = Random(c.n, DType::kF32, 4),
               .residual = Random(c.m * c.n, DType::kF32, 5),
               .addend = Random(c.m * c.n, c.c, 6)};
  if (c.b == DType::kI8) data.w = Steps(std::move(data.w), c.k);
  return data;
}

// Rows of activations as the digits that a kernel takes.
class Digits {
 public:
  Digits(const GemmKernel& kernel, int64_t rows, int64_t k, const void* a, int64_t a_stride,
         int64_t k_block)
      : digits_(kernel.digits), rows_(rows), stride_((k / 64 + 1) * 64), k_block_(k_block) {
    if (k_block_ == 0) k_block_ = stride_;
    const int64_t blocks = (stride_ + k_block_ - 1) / k_block_;
    bytes_.resize(static_cast<size_t>(rows * digits_ * stride_));
    scales_.resize(static_cast<size_t>(rows));
    starts_.resize(static_cast<size_t>(blocks * rows * digits_));
    kernel.to_digits({.rows = rows,
                      .k = k,
                      .a = a,
                      .a_stride = a_stride,
                      .digits = bytes_.data(),
                      .stride = stride_,
                      .scale = scales_.data(),
                      .k_block = k_block_,
                      .starts = starts_.data(),
                      .starts_stride = rows * digits_});
  }

  void Give(int64_t k, GemmMultiply& g) const {
    g.a = bytes_.data() + k;
    g.a_stride = stride_;
    g.digits_scale = scales_.data();
    g.digits_starts = starts_.data() + k / k_block_ * rows_ * digits_;
  }

  // Element [row, k] as it is multiplied.
  double Value(int64_t row, int64_t k) const {
    double value = 0;
    for (int64_t digit = 0; digit < digits_; ++digit) {
      const int64_t at = (row * digits_ + digit) * stride_ + k;
      value = value * 256 + bytes_[static_cast<size_t>(at)];
    }
    return value * scales_[static_cast<size_t>(row)];
  }

 private:
  int64_t digits_, rows_, stride_, k_block_;
  std::vector<int8_t> bytes_;
  std::vector<float> scales_;
  std::vector<int32_t> starts_;
};

// c of one case by the kernels of `isa`; everything starts 4 bytes past an aligned address, except
// the packed weights, and rows of c have 3 elements between them.
std::vector<float> RunKernel(Isa isa, const Case& c, const Data& data) {
  const GemmKernel kernel = SelectGemm(isa, c.a, c.b);
  const PackedLayout layout = PackedLayoutFor(isa, c.b, c.n, c.k);
  EXPECT_EQ(layout.panel_columns, kernel.panel_columns);
  const int64_t a_stride = c.k + c.a_padding;
  const int64_t c_stride = c.n + 3;
  const auto size = [](int64_t count) { return static_cast<size_t>(count * 4); };
  Bytes packed(layout.bytes()), a(size(c.m * a_stride), 4), y(size(c.m * c_stride), 4);
  Bytes widened(size(layout.padded_k() * layout.panel_columns));
  Bytes sums(size(c.m * kernel.panel_columns), 4), residual(size(c.m * c.n), 4);
  Bytes addend(size(c.m * c_stride), 4);
  for (int64_t i = 0; i < c.m; ++i) {
    for (int64_t k = 0; k < c.k; ++k) {
      StoreAs(c.a, data.a[static_cast<size_t>(i * c.k + k)], a.data(), i * a_stride + k);
    }
    for (int64_t j = 0; j < c.n; ++j) {
      StoreAs(DType::kF32, data.residual[static_cast<size_t>(i * c.n + j)], residual.data(),
              i * c.n + j);
      StoreAs(c.c, data.addend[static_cast<size_t>(i * c.n + j)], addend.data(), i * c_stride + j);
    }
  }
  const PackSource source = {
      .data = data.w.data(), .dtype = DType::kF32, .n = c.n, .row_stride = c.k};
  const int64_t cut = std::min(c.k_cut, c.k);
  for (int64_t panel = 0; panel < layout.panels(); ++panel) {
    PackPanel(layout, panel, source, 0, packed.data());
    PadPanel(layout, panel, packed.data());
    const char* whole = packed.data() + static_cast<size_t>(panel) * layout.panel_bytes();
    const char* b = whole + layout.scale_bytes();
    GemmMultiplyFn multiply = kernel.multiply;
    auto b_bytes = static_cast<int64_t>(ByteSize(c.b));
    if (kernel.widen != nullptr && c.widened) {
      kernel.widen({.from = reinterpret_cast<const int8_t*>(b),
                    .k = layout.padded_k(),
                    .to = widened.data()});
      b = widened.data();
      b_bytes = static_cast<int64_t>(ByteSize(c.a));
      multiply = kernel.multiply_widened;
    }
    GemmMultiply g = {
        .rows = c.m,
        .k = cut > 0 ? cut : c.k,
        .a = a.data(),
        .a_stride = a_stride,
        .b = b,
        .sums = reinterpret_cast<float*>(sums.data()),
        .columns =
            c.all_columns ? 0 : std::min(layout.panel_columns, c.n - panel * layout.panel_columns),
        .next = whole,
        .next_bytes = static_cast<int64_t>(layout.panel_bytes()),
        .results = {a.data(), 4 * a_stride, 4 * c.k},
        .residual = {y.data(), 4 * c_stride, 4 * c.n}};
    std::optional<Digits> digits;
    if (kernel.to_digits != nullptr) {
      digits.emplace(kernel, c.m, c.k, a.data(), a_stride, cut);
      digits->Give(0, g);
    }
    multiply(g);
    if (cut > 0) {
      g.k = c.k - cut;
      g.accumulate = true;
      g.a = a.data() + cut * static_cast<int64_t>(ByteSize(c.a));
      if (digits) digits->Give(cut, g);
      g.b = b + cut * layout.panel_columns * b_bytes;
      multiply(g);
    }
    const int64_t column = panel * layout.panel_columns;
    GemmFinish f = {
        .rows = c.m,
        .columns = std::min(layout.panel_columns, c.n - column),
        .sums = g.sums,
        .weight_scale = c.b == DType::kI8 ? reinterpret_cast<const float*>(whole) : nullptr,
        .activation = c.activation,
        .c = y.data() + column * static_cast<int64_t>(ByteSize(c.c)),
        .c_stride = c_stride,
        .c_bf16 = c.c == DType::kBF16};
    if (c.vectors) {
      f.bias = data.bias.data() + column;
      f.scale = data.scale.data() + column;
      f.residual = reinterpret_cast<const float*>(residual.data()) + column;
      f.residual_stride = c.n;
      f.addend = addend.data() + column * static_cast<int64_t>(ByteSize(c.c));
      f.addend_stride = c_stride;
      f.addend_bf16 = c.c == DType::kBF16;
    }
    (f.c_bf16 ? kernel.finish_to_bf16 : kernel.finish)(f);
  }
  std::vector<float> result;
  for (int64_t i = 0; i < c.m; ++i) {
    for (int64_t j = 0; j < c.n; ++j) result.push_back(LoadAs(c.c, y.data(), i * c_stride + j));
    // Nothing is written past the last column.
    const float beyond = LoadAs(c.c, y.data(), i * c_stride + c.n);
    EXPECT_TRUE(std::isnan(beyond)) << c;
  }
  return result;
}

// A chain of k rounded additions of products under 1 is off by at most k * eps/2 * (sum of sizes);
// the sizes' sum is bounded by k. Typical errors grow as the root of that; the bound uses k.
void ExpectNearExact(Isa isa, const Case& c) {
  const Data data = MakeData(c);
  const std::vector<float> got = RunKernel(isa, c, data);
  double chain = 0x1p-24 * static_cast<double>(c.k + 2) * (1 + std::sqrt(c.k));
  // Two digits are up to half a step of the row's largest size by 32638 off.
  if (SelectGemm(isa, c.a, c.b).digits == 2) chain += static_cast<double>(c.k) / (2 * 32638.0);
  const double approximation = c.activation == Activation::kNone ? 0 : 1e-6;
  for (int64_t i = 0; i < c.m; ++i) {
    for (int64_t j = 0; j < c.n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < c.k; ++k) {
        sum += double{data.a[static_cast<size_t>(i * c.k + k)]} *
               data.w[static_cast<size_t>(j * c.k + k)];
      }
      const auto at = static_cast<size_t>(j);
      const auto element = static_cast<size_t>(i * c.n + j);
      if (c.vectors) sum += double{data.bias[at]} + data.addend[element];
      double y = Exact(c.activation, sum);
      if (c.vectors) y = y * data.scale[at] + data.residual[element];
      const double rounding = std::abs(y) * (c.c == DType::kBF16 ? 0x1p-8 : 0x1p-22);
      ASSERT_NEAR(got[static_cast<size_t>(i * c.n + j)], y, chain + approximation + rounding)
          << Name(isa) << " " << c << " at " << i << ", " << j;
    }
  }
}

class GemmKernels : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!Cpu().Has(GetParam())) {
      GTEST_SKIP() << "this CPU has no " << Name(GetParam()) << ": its kernels did not run";
    }
  }
};

TEST_P(GemmKernels, AgreeWithExactSumsOnAllSizesOfEdges) {
  const std::pair<DType, DType> kTypes[] = {{DType::kF32, DType::kF32},
                                            {DType::kF32, DType::kBF16},
                                            {DType::kBF16, DType::kBF16},
                                            {DType::kF32, DType::kI8},
                                            {DType::kBF16, DType::kI8}};
  for (const auto& [a, b] : kTypes) {
    for (int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17, 33}) {
      for (int64_t n : {1, 15, 16, 17, 33, 63, 64, 65}) {
        for (int64_t k : {0, 1, 2, 7, 31, 32, 33, 65}) {
          ExpectNearExact(GetParam(), {.m = m, .n = n, .k = k, .a = a, .b = b, .a_padding = 5});
        }
      }
    }
    ExpectNearExact(GetParam(), {.m = 197, .n = 197, .k = 197, .a = a, .b = b});
  }
}

TEST_P(GemmKernels, ApplyEveryActivationWithBiasScaleAndResidual) {
  for (Activation activation :
       {Activation::kNone, Activation::kGeluErf, Activation::kGeluTanh, Activation::kQuickGelu,
        Activation::kRelu, Activation::kTanh, Activation::kSilu}) {
    for (DType c : {DType::kF32, DType::kBF16}) {
      for (int64_t n : {1, 7, 8, 9, 64, 70}) {
        ExpectNearExact(
            GetParam(),
            {.m = 7, .n = n, .k = 40, .c = c, .activation = activation, .vectors = true});
      }
    }
  }
}

// What is left out of the last step has ways of its own: a scale of one asks for all of it.
TEST_P(GemmKernels, FinishWithABiasAloneOrAResidualBesideItAsWithAllSteps) {
  const std::vector<float> ones(kWidePanelColumns, 1.0f);
  for (Activation activation : {Activation::kNone, Activation::kGeluErf, Activation::kGeluTanh,
                                Activation::kQuickGelu, Activation::kRelu, Activation::kSilu}) {
    for (DType type : {DType::kF32, DType::kBF16}) {
      const GemmKernel kernel = SelectGemm(GetParam(), type, type);
      const int64_t columns = kernel.panel_columns, rows = 7;
      const std::vector<float> sums = Random(rows * columns, DType::kF32, 7),
                               bias = Random(columns, DType::kF32, 8),
                               residual = Random(rows * columns, DType::kF32, 9);
      for (const bool with_residual : {false, true}) {
        std::vector<float> all(sums.size()), few(sums.size());
        GemmFinish f = {.rows = rows,
                        .columns = columns,
                        .sums = sums.data(),
                        .bias = bias.data(),
                        .activation = activation,
                        .scale = ones.data(),
                        .residual = with_residual ? residual.data() : nullptr,
                        .residual_stride = columns,
                        .c = all.data(),
                        .c_stride = columns,
                        .c_bf16 = type == DType::kBF16};
        const GemmFinishFn finish = f.c_bf16 ? kernel.finish_to_bf16 : kernel.finish;
        finish(f);
        f.scale = nullptr;
        f.c = few.data();
        finish(f);
        EXPECT_EQ(std::memcmp(all.data(), few.data(), all.size() * sizeof(float)), 0)
            << Name(type) << ", activation " << static_cast<int>(activation);
      }
    }
  }
}

void ExpectRowsAlike(Isa isa, const Case& c, const Data& data, const std::vector<float>& together) {
  for (int64_t row = 0; row < c.m; ++row) {
    Data alone = data;
    alone.a.assign(data.a.begin() + row * c.k, data.a.begin() + (row + 1) * c.k);
    Case one = c;
    one.m = 1;
    const std::vector<float> y = RunKernel(isa, one, alone);
    EXPECT_TRUE(std::equal(y.begin(), y.end(), together.begin() + row * c.n)) << c << " " << row;
  }
}

TEST_P(GemmKernels, GiveARowTheSameBitsWhateverItsNeighboursAndTheCutOfK) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    Case c = {.m = 23, .n = 64, .k = 96, .a = type, .b = type};
    const Data data = MakeData(c);
    const std::vector<float> together = RunKernel(GetParam(), c, data);
    c.k_cut = 32;
    EXPECT_EQ(RunKernel(GetParam(), c, data), together);
    ExpectRowsAlike(GetParam(), c, data, together);
  }
}

TEST_P(GemmKernels, GiveARowTheSameBitsWhateverItsNeighboursWithI8Weights) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    for (int64_t k_cut : {0, 128}) {
      const Case c = {.m = 23, .n = 70, .k = 200, .a = type, .b = DType::kI8, .k_cut = k_cut};
      const Data data = MakeData(c);
      ExpectRowsAlike(GetParam(), c, data, RunKernel(GetParam(), c, data));
    }
  }
}

TEST_P(GemmKernels, AddUpTheSharesOfACutKWithI8Weights) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    for (int64_t k : {129, 200, 256}) {
      ExpectNearExact(GetParam(),
                      {.m = 5, .n = 70, .k = k, .a = type, .b = DType::kI8, .k_cut = 128});
    }
  }
}

TEST_P(GemmKernels, GiveWantedColumnsTheSameBitsWhetherOrNotOthersAreSummed) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    for (int64_t n : {1, 16, 17, 33, 52, 81}) {
      Case c = {.m = 13, .n = n, .k = 37, .a = type, .b = type};
      const Data data = MakeData(c);
      const std::vector<float> wanted = RunKernel(GetParam(), c, data);
      c.all_columns = true;
      EXPECT_EQ(RunKernel(GetParam(), c, data), wanted) << c;
    }
  }
}

TEST_P(GemmKernels, GiveI8WeightsTheSameBitsWidenedOrNot) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    Case c = {.m = 23, .n = 67, .k = 97, .a = type, .b = DType::kI8};
    const Data data = MakeData(c);
    const std::vector<float> in_registers = RunKernel(GetParam(), c, data);
    c.widened = true;
    EXPECT_EQ(RunKernel(GetParam(), c, data), in_registers) << Name(type);
  }
}

TEST_P(GemmKernels, TakeEveryI8WeightForWhatItIs) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    const GemmKernel kernel = SelectGemm(GetParam(), type, DType::kI8);
    const bool quads = PackedLayoutFor(GetParam(), DType::kI8, 1, 1).quads;
    const size_t unit = quads ? 4 : 2;
    std::vector<float> sums(static_cast<size_t>(kernel.panel_columns));
    std::vector<int8_t> panel(sums.size() * unit);  // k = 2
    for (const bool odd : {false, true}) {
      char row[2 * sizeof(float)];
      StoreAs(type, odd ? 0.0f : 1.0f, row, 0);
      StoreAs(type, odd ? 1.0f : 0.0f, row, 1);
      for (int first = -127; first <= 127; ++first) {
        const auto weight = [first](size_t at) {
          return static_cast<int8_t>((first + 127 + static_cast<int>(at)) % 255 - 127);
        };
        for (size_t at = 0; at < panel.size(); ++at) {
          panel[at] = static_cast<int8_t>(weight(at) + (quads ? 128 : 0));
        }
        GemmMultiply g = {.rows = 1, .k = 2, .a = row, .b = panel.data(), .sums = sums.data()};
        std::optional<Digits> digits;
        if (kernel.to_digits != nullptr) digits.emplace(kernel, 1, 2, row, 2, 0).Give(0, g);
        kernel.multiply(g);
        for (size_t column = 0; column < sums.size(); ++column) {
          ASSERT_FLOAT_EQ(sums[column], weight(unit * column + (odd ? 1 : 0)))
              << Name(type) << column;
        }
      }
    }
  }
}

// A row's numbers as they are multiplied, and what any of them may be off.
void ExpectDigitsNear(const GemmKernel& kernel, DType type, const std::vector<float>& row) {
  const auto k = static_cast<int64_t>(row.size());
  std::vector<char> a(row.size() * 4);
  double largest = 0;
  for (int64_t i = 0; i < k; ++i) {
    StoreAs(type, row[static_cast<size_t>(i)], a.data(), i);
    largest = std::max(largest, std::abs(double{LoadAs(type, a.data(), i)}));
  }
  const Digits digits(kernel, 1, k, a.data(), k, 0);
  const double steps = kernel.digits == 2 ? 32638 : 8355710;
  // Half a step, and what rounding the factor and the product adds to the largest.
  const double off = largest * (0.5 / steps + 0x1p-23);
  for (int64_t i = 0; i < k; ++i) {
    EXPECT_NEAR(digits.Value(0, i), LoadAs(type, a.data(), i), off) << Name(type) << " " << i;
  }
}

TEST_P(GemmKernels, KeepActivationsWithinHalfAStepAsDigits) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    const GemmKernel kernel = SelectGemm(GetParam(), type, DType::kI8);
    if (kernel.to_digits == nullptr) continue;
    for (int64_t k : {1, 15, 16, 17, 63, 64, 65, 200}) {
      ExpectDigitsNear(kernel, type, Random(k, DType::kF32, static_cast<uint32_t>(k)));
    }
    // The largest number rounds no further than digits reach, whatever its fraction and sign.
    for (int i = 0; i < 1000; ++i) {
      const float size = 1.0f + static_cast<float>(i) / 1000.0f;
      ExpectDigitsNear(kernel, type, {size, -size, size / 3, -size / 257});
    }
    ExpectDigitsNear(kernel, type, {3.3e38f, -1e38f, 1e-38f});
    ExpectDigitsNear(kernel, type, {0.0f, -0.0f});
    ExpectDigitsNear(kernel, type, {1e-20f, 3e-21f});
  }
}

TEST_P(GemmKernels, PassNanAndInfinityOnThroughI8Weights) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    for (const float value : {NAN, INFINITY, -INFINITY}) {
      Case c = {.m = 4, .n = 20, .k = 40, .a = type, .b = DType::kI8};
      Data data = MakeData(c);
      data.a[static_cast<size_t>(2 * c.k + 3)] = value;
      const std::vector<float> y = RunKernel(GetParam(), c, data);
      for (int64_t i = 0; i < c.m * c.n; ++i) {
        const bool finite = std::isfinite(y[static_cast<size_t>(i)]);
        EXPECT_EQ(finite, i / c.n != 2) << Name(type) << " " << value << " at " << i;
      }
    }
  }
}

std::vector<float> FinishValues(Isa isa, Activation activation, const std::vector<float>& values,
                                bool bf16) {
  const DType type = bf16 ? DType::kBF16 : DType::kF32;
  const GemmKernel kernel = SelectGemm(isa, type, type);
  const GemmFinishFn finish = bf16 ? kernel.finish_to_bf16 : kernel.finish;
  std::vector<float> result;
  for (const float value : values) {
    const std::vector<float> sums(static_cast<size_t>(kernel.panel_columns), value);
    float y = 0;
    uint16_t bits = 0;
    finish({.rows = 1,
            .columns = 1,
            .sums = sums.data(),
            .activation = activation,
            .c = bf16 ? static_cast<void*>(&bits) : &y,
            .c_stride = 1,
            .c_bf16 = bf16});
    result.push_back(bf16 ? FromBf16(bits) : y);
  }
  return result;
}

TEST_P(GemmKernels, KeepActivationsWithinAMillionthOverTheirWholeRange) {
  std::vector<float> inputs = {-1e30f, -1e4f, -100.0f, -88.0f, 88.0f, 100.0f, 1e4f};
  for (int i = -12000; i <= 12000; ++i) inputs.push_back(static_cast<float>(i) * 0x1p-10f);
  for (Activation activation : {Activation::kGeluErf, Activation::kGeluTanh, Activation::kQuickGelu,
                                Activation::kTanh, Activation::kSilu}) {
    const std::vector<float> got = FinishValues(GetParam(), activation, inputs, false);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const double exact = Exact(activation, inputs[i]);
      EXPECT_NEAR(got[i], exact, 1e-6 + std::abs(exact) * 0x1p-22)
          << "activation " << static_cast<int>(activation) << " of " << inputs[i];
    }
  }
}

TEST_P(GemmKernels, LeaveRoundingToBf16TheLargestErrorOfActivations) {
  std::vector<float> inputs = {-1e4f, -100.0f, -88.0f, 88.0f, 100.0f, 1e4f};
  for (int i = -12000; i <= 12000; ++i) inputs.push_back(static_cast<float>(i) * 0x1p-10f);
  for (Activation activation : {Activation::kGeluErf, Activation::kGeluTanh, Activation::kQuickGelu,
                                Activation::kTanh, Activation::kSilu}) {
    const std::vector<float> got = FinishValues(GetParam(), activation, inputs, true);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const double exact = Exact(activation, inputs[i]);
      constexpr double kRounding = 0x1p-8, kApproximation = kRounding / 24;
      EXPECT_NEAR(got[i], exact, 1e-6 + std::abs(exact) * (kRounding + kApproximation))
          << "activation " << static_cast<int>(activation) << " of " << inputs[i];
    }
  }
}

TEST_P(GemmKernels, PassNanAndInfinityOn) {
  const std::vector<float> inputs = {NAN, INFINITY};
  for (Activation activation : {Activation::kNone, Activation::kGeluErf, Activation::kGeluTanh,
                                Activation::kQuickGelu, Activation::kRelu, Activation::kSilu}) {
    for (bool bf16 : {false, true}) {
      const std::vector<float> got = FinishValues(GetParam(), activation, inputs, bf16);
      EXPECT_TRUE(std::isnan(got[0])) << static_cast<int>(activation);
      EXPECT_EQ(got[1], INFINITY) << static_cast<int>(activation);
    }
  }
  EXPECT_TRUE(std::isnan(FinishValues(GetParam(), Activation::kTanh, inputs, false)[0]));
}

TEST_P(GemmKernels, RoundBf16OutputsToNearestEven) {
  const std::vector<float> inputs = {1.0f,    1.00390625f, 1.01171875f, -1.00390625f, 1.005859375f,
                                     3.3e38f, 3.4e38f,     1e-40f,      0x1.fep-127f, -0.0f};
  const std::vector<float> got = FinishValues(GetParam(), Activation::kNone, inputs, true);
  for (size_t i = 0; i < inputs.size(); ++i) {
    // Where bf16 is multiplied, subnormals count as zero.
    if (got[i] == 0 && std::abs(inputs[i]) < 0x1p-126f) continue;
    EXPECT_EQ(got[i], FromBf16(ToBf16(inputs[i]))) << inputs[i];
  }
}

INSTANTIATE_TEST_SUITE_P(AllIsas, GemmKernels,
                         ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16,
                                           Isa::kAmx, Isa::kNeon),
                         [](const auto& parameter) { return std::string(Name(parameter.param)); });

}  // namespace
}  // namespace vernier
