#include "backends/ref/maps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backends/ref/gemm.h"
#include "core/parallel.h"
#include "ops/conv.h"
#include "ops/map_ops.h"
#include "ops/norm.h"

namespace vernier {
namespace {

// Calls body(plane) for each picture and channel, split over threads.
template <typename Body>
void ForPlanes(const RefArgs& args, Body body) {
  const Shape& shape = args.outputs[0].shape;
  ParallelFor(args.threads, shape[0] * shape[1], 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) body(plane);
  });
}

// Elements of a plane of `shape` beyond batch and channels.
int64_t PlaneRows(const TensorArg& x) {
  const int64_t planes = x.shape[0] * x.shape[1];
  return planes == 0 ? 0 : x.rows() / planes;
}

// One picture and group of a convolution.
class ConvPart {
 public:
  ConvPart(const RefArgs& args, int64_t picture, int64_t group)
      : args_(args), conv_(args.attributes.get<Conv2d>()), picture_(picture), group_(group) {}

  // As a product of the weights, one row for each output channel, and the windows of some pixels,
  // so that the result lies as the map does. The bias is one more product, by 1, added last.
  void Run(std::vector<float>& weights, std::vector<float>& windows) const {
    const int64_t out = w().shape[0] / conv_.groups, k = WindowSize() + (has_bias() ? 1 : 0);
    weights.resize(static_cast<size_t>(out * k));
    for (int64_t o = 0; o < out; ++o) CopyWeights(group_ * out + o, &weights[Index(o * k)]);
    const int64_t pixels = y().shape[2] * y().shape[3];
    for (int64_t first = 0; first < pixels; first += kPixels) {
      const int64_t count = std::min(kPixels, pixels - first);
      windows.resize(static_cast<size_t>(count * k));
      ParallelFor(args_.threads, count, 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) CopyWindow(first + i, &windows[Index(i * k)]);
      });
      products_.resize(static_cast<size_t>(out * count));
      BlockedGemm({.m = out,
                   .n = count,
                   .k = k,
                   .a = weights.data(),
                   .a_stride = k,
                   .w = windows.data(),
                   .w_row = k,
                   .y = products_.data(),
                   .y_stride = count},
                  args_.threads);
      for (int64_t o = 0; o < out; ++o) CopyOut(group_ * out + o, first, count, o * count);
    }
  }

 private:
  static constexpr int64_t kPixels = 512;

  const TensorArg& x() const { return args_.inputs[0]; }
  const TensorArg& w() const { return args_.inputs[1]; }
  const TensorArg& y() const { return args_.outputs[0]; }
  bool has_bias() const { return args_.inputs.size() > 2 && args_.inputs[2].exists(); }
  int64_t WindowSize() const { return w().shape[1] * w().shape[2] * w().shape[3]; }
  static size_t Index(int64_t i) { return static_cast<size_t>(i); }

  void CopyWeights(int64_t channel, float* to) const {
    const int64_t rows = w().shape[1] * w().shape[2], columns = w().shape[3];
    for (int64_t r = 0; r < rows; ++r) {
      to = std::copy_n(w().row<float>(channel * rows + r), columns, to);
    }
    if (has_bias()) *to = args_.inputs[2].row<float>(0)[channel];
  }

  // Channel, then row, then column, as the weights lie; zeros beyond the map.
  void CopyWindow(int64_t pixel, float* to) const {
    const int64_t height = x().shape[2], width = x().shape[3], channels = w().shape[1];
    const int64_t top = pixel / y().shape[3] * conv_.stride - conv_.padding;
    const int64_t left = pixel % y().shape[3] * conv_.stride - conv_.padding;
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t plane = picture_ * x().shape[1] + group_ * channels + c;
      for (int64_t row = top; row < top + w().shape[2]; ++row) {
        const bool inside = row >= 0 && row < height;
        const float* from = inside ? x().row<float>(plane * height + row) : nullptr;
        for (int64_t column = left; column < left + w().shape[3]; ++column) {
          *to++ = inside && column >= 0 && column < width ? from[column] : 0.0f;
        }
      }
    }
    if (has_bias()) *to = 1.0f;
  }

  void CopyOut(int64_t channel, int64_t first, int64_t count, int64_t from) const {
    const int64_t height = y().shape[2], width = y().shape[3];
    const int64_t top = (picture_ * y().shape[1] + channel) * height;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t pixel = first + i;
      y().row<float>(top + pixel / width)[pixel % width] = products_[Index(from + i)];
    }
  }

  const RefArgs& args_;
  const Conv2d& conv_;
  int64_t picture_;
  int64_t group_;
  mutable std::vector<float> products_;
};

// Sum of f over the elements of some rows.
template <typename F>
double SumOver(const TensorArg& x, int64_t begin, int64_t end, F f) {
  double sum = 0;
  for (int64_t row = begin; row < end; ++row) {
    const float* from = x.row<float>(row);
    for (int64_t c = 0; c < x.columns(); ++c) sum += f(from[c]);
  }
  return sum;
}

// y = x * factor + shift over the rows of one channel.
void ScaleRows(const TensorArg& x, const TensorArg& y, int64_t begin, int64_t end, double factor,
               double shift) {
  for (int64_t row = begin; row < end; ++row) {
    const float* from = x.row<float>(row);
    float* to = y.row<float>(row);
    for (int64_t c = 0; c < x.columns(); ++c) to[c] = static_cast<float>(from[c] * factor + shift);
  }
}

// Neighbours of a resampled position and the weight of the second.
struct Between {
  int64_t low;
  int64_t high;
  double weight;
};

Between Bilinear(int64_t position, int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double at = std::max(0.0, (static_cast<double>(position) + 0.5) * scale - 0.5);
  const auto low = std::min(static_cast<int64_t>(at), in - 1);
  return {low, std::min(low + 1, in - 1), at - static_cast<double>(low)};
}

Between SourceOf(MapResampling resampling, int64_t position, int64_t in, int64_t out) {
  if (resampling == MapResampling::kBilinear) return Bilinear(position, in, out);
  const int64_t source = position * in / out;
  return {source, source, 0};
}

}  // namespace

void RefConv2d(const RefArgs& args) {
  const int64_t groups = args.attributes.get<Conv2d>().groups;
  std::vector<float> weights, windows;
  for (int64_t picture = 0; picture < args.outputs[0].shape[0]; ++picture) {
    for (int64_t group = 0; group < groups; ++group) {
      ConvPart(args, picture, group).Run(weights, windows);
    }
  }
}

void RefBatchNorm(const RefArgs& args) {
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  // Maps of rank 2 have one row for all channels.
  if (x.shape.rank() == 2) {
    for (int64_t row = 0; row < x.rows(); ++row) {
      for (int64_t c = 0; c < x.columns(); ++c) {
        const auto at = [&](size_t input) -> double { return args.inputs[input].row<float>(0)[c]; };
        const double scale = at(1) / std::sqrt(at(4) + args.attributes.get<BatchNorm>().eps);
        y.row<float>(row)[c] = static_cast<float>((x.row<float>(row)[c] - at(3)) * scale + at(2));
      }
    }
    return;
  }
  const int64_t channels = x.shape[1], rows = PlaneRows(x);
  ForPlanes(args, [&](int64_t plane) {
    const auto at = [&](size_t input) -> double {
      return args.inputs[input].row<float>(0)[plane % channels];
    };
    const double scale = at(1) / std::sqrt(at(4) + args.attributes.get<BatchNorm>().eps);
    ScaleRows(x, y, plane * rows, (plane + 1) * rows, scale, at(2) - at(3) * scale);
  });
}

void RefGroupNorm(const RefArgs& args) {
  const auto& norm = args.attributes.get<GroupNorm>();
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t channels = x.shape[1] / norm.groups, rows = PlaneRows(x);
  ParallelFor(args.threads, x.shape[0] * norm.groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      const int64_t first = group * channels * rows, last = (group + 1) * channels * rows;
      const auto count = static_cast<double>((last - first) * x.columns());
      const double mean = SumOver(x, first, last, [](double v) { return v; }) / count;
      const double variance =
          SumOver(x, first, last, [&](double v) { return (v - mean) * (v - mean); }) / count;
      const double deviation = std::sqrt(variance + norm.eps);
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t channel = group % norm.groups * channels + c;
        const double gain = args.inputs[1].row<float>(0)[channel];
        const double shift = args.inputs[2].row<float>(0)[channel];
        const int64_t row = first + c * rows;
        ScaleRows(x, y, row, row + rows, gain / deviation, shift - mean * gain / deviation);
      }
    }
  });
}

void RefMaxPool2d(const RefArgs& args) {
  const auto& pool = args.attributes.get<MaxPool2d>();
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t height = x.shape[2], width = x.shape[3];
  ForPlanes(args, [&](int64_t plane) {
    for (int64_t row = 0; row < y.shape[2]; ++row) {
      const int64_t top = row * pool.stride - pool.padding;
      float* to = y.row<float>(plane * y.shape[2] + row);
      for (int64_t column = 0; column < y.shape[3]; ++column) {
        const int64_t left = column * pool.stride - pool.padding;
        float most = -std::numeric_limits<float>::infinity();
        for (int64_t r = std::max<int64_t>(top, 0); r < std::min(top + pool.kernel, height); ++r) {
          const float* from = x.row<float>(plane * height + r);
          const int64_t end = std::min(left + pool.kernel, width);
          for (int64_t c = std::max<int64_t>(left, 0); c < end; ++c) {
            // torch lets a NaN win, so that it is seen.
            if (from[c] > most || std::isnan(from[c])) most = from[c];
          }
        }
        to[column] = most;
      }
    }
  });
}

void RefResizeMap(const RefArgs& args) {
  const MapResampling resampling = args.attributes.get<ResizeMap>().resampling;
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t height = x.shape[2], width = x.shape[3];
  ForPlanes(args, [&](int64_t plane) {
    for (int64_t row = 0; row < y.shape[2]; ++row) {
      const Between rows = SourceOf(resampling, row, height, y.shape[2]);
      const float* upper = x.row<float>(plane * height + rows.low);
      const float* lower = x.row<float>(plane * height + rows.high);
      float* to = y.row<float>(plane * y.shape[2] + row);
      for (int64_t column = 0; column < y.shape[3]; ++column) {
        const Between at = SourceOf(resampling, column, width, y.shape[3]);
        const auto across = [&](const float* from) {
          return from[at.low] * (1 - at.weight) + from[at.high] * at.weight;
        };
        to[column] =
            static_cast<float>(across(upper) * (1 - rows.weight) + across(lower) * rows.weight);
      }
    }
  });
}

}  // namespace vernier
