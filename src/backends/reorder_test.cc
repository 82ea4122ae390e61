// Copies between layouts against a plain loop over logical indices.
#include "backends/reorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace vernier {
namespace {

constexpr Layout kLayouts[] = {Layout::kRowMajor, Layout::kChannelsLast};

// Memory of a map with `gap` elements behind each row, and where its elements are.
template <typename T>
struct Map {
  Map(const Shape& shape, DType dtype, Layout layout, int64_t gap)
      : arg(TensorArg::Of({nullptr, dtype, shape}, layout)) {
    arg.row_stride += gap;
    memory.resize(static_cast<size_t>(arg.rows() * arg.row_stride));
    arg.data = memory.data();
  }

  T& at(int64_t n, int64_t c, int64_t y, int64_t x) {
    const Shape& s = arg.shape;
    const int64_t row = arg.channels_last() ? (n * s[2] + y) * s[3] + x : (n * s[1] + c) * s[2] + y;
    return memory[static_cast<size_t>(row * arg.row_stride + (arg.channels_last() ? c : x))];
  }

  std::vector<T> memory;
  TensorArg arg;
};

// Rows of `from` lie `gap` elements apart, those of the copy at most one.
template <typename T>
void ExpectCopied(const Shape& shape, DType dtype, int64_t gap) {
  for (const Layout from_layout : kLayouts) {
    for (const Layout to_layout : kLayouts) {
      Map<T> from(shape, dtype, from_layout, gap);
      Map<T> to(shape, dtype, to_layout, std::min<int64_t>(gap, 1));
      std::iota(from.memory.begin(), from.memory.end(), T{1});
      CopyElements(from.arg, to.arg, 2);
      for (int64_t n = 0; n < shape[0]; ++n) {
        for (int64_t c = 0; c < shape[1]; ++c) {
          for (int64_t y = 0; y < shape[2]; ++y) {
            for (int64_t x = 0; x < shape[3]; ++x) {
              ASSERT_EQ(to.at(n, c, y, x), from.at(n, c, y, x))
                  << shape.ToString() << " " << Name(from_layout) << " to " << Name(to_layout);
            }
          }
        }
      }
    }
  }
}

TEST(Reorder, KeepsEveryElementWhateverTheLayouts) {
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{1, 33, 2, 65}, Shape{2, 64, 1, 32},
        Shape{2, 37, 9, 15}, Shape{1, 5, 3, 0}, Shape{0, 2, 2, 2}}) {
    for (const int64_t gap : {0, 3}) {
      ExpectCopied<float>(shape, DType::kF32, gap);
      ExpectCopied<uint16_t>(shape, DType::kBF16, gap);
    }
  }
}

TEST(Reorder, GivesRowMajorCopiesOfChannelsLastMaps) {
  Map<float> map({1, 2, 2, 3}, DType::kF32, Layout::kChannelsLast, 2);
  for (int64_t i = 0; i < 12; ++i) map.at(0, i / 6, i / 3 % 2, i % 3) = static_cast<float>(i);
  const Tensor copy = RowMajorCopy(map.arg, 1);
  for (int64_t i = 0; i < 12; ++i) {
    EXPECT_EQ(copy.as<float>()[static_cast<size_t>(i)], static_cast<float>(i));
  }
}

}  // namespace
}  // namespace vernier
