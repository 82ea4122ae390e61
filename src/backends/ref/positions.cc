#include "backends/ref/positions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "ops/resize_grid.h"
#include "ops/rope.h"

namespace vernier {
namespace {

// Weights of the source samples that make one output sample along one axis.
struct Taps {
  std::vector<int64_t> index;
  std::vector<double> weight;
};

// Cubic convolution (Keys 1981) at distance x.
double Cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return a * (((x - 5) * x + 8) * x - 4);
  return 0;
}

Taps BicubicTaps(int64_t i, int64_t from, int64_t to) {
  const double source =
      (static_cast<double>(i) + 0.5) * (static_cast<double>(from) / static_cast<double>(to)) - 0.5;
  const double low = std::floor(source);
  Taps taps;
  for (int offset = -1; offset <= 2; ++offset) {
    taps.index.push_back(std::clamp<int64_t>(static_cast<int64_t>(low) + offset, 0, from - 1));
    taps.weight.push_back(Cubic(source - (low + offset), -0.75));
  }
  return taps;
}

Taps AntialiasTaps(int64_t i, int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0), reach = 2.0 * stretch;
  const double centre = (static_cast<double>(i) + 0.5) * scale;
  const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - reach + 0.5));
  const auto last = std::min<int64_t>(from, static_cast<int64_t>(centre + reach + 0.5));
  Taps taps;
  double sum = 0;
  for (int64_t j = first; j < last; ++j) {
    taps.index.push_back(j);
    taps.weight.push_back(Cubic((static_cast<double>(j) - centre + 0.5) / stretch, -0.5));
    sum += taps.weight.back();
  }
  for (double& weight : taps.weight) weight /= sum;
  return taps;
}

Taps BilinearTaps(int64_t i, int64_t from, int64_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  const double source = std::max((static_cast<double>(i) + 0.5) * ratio - 0.5, 0.0);
  const auto low = std::min<int64_t>(static_cast<int64_t>(source), from - 1);
  const double fraction = source - static_cast<double>(low);
  return {{low, std::min(low + 1, from - 1)}, {1.0 - fraction, fraction}};
}

std::vector<Taps> AxisTaps(GridResampling resampling, int64_t from, int64_t to) {
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    switch (resampling) {
      case GridResampling::kBicubic:
        all.push_back(BicubicTaps(i, from, to));
        break;
      case GridResampling::kBicubicAntialias:
        all.push_back(AntialiasTaps(i, from, to));
        break;
      case GridResampling::kBilinear:
        all.push_back(BilinearTaps(i, from, to));
        break;
    }
  }
  return all;
}

}  // namespace

void RefRope(const RefArgs& args) {
  const auto& rope = args.attributes.get<Rope>();
  const TensorArg &x = args.inputs[0], &cosines = args.inputs[1], &sines = args.inputs[2];
  const TensorArg& y = args.outputs[0];
  // The tables' rows go with the value's, or with the tokens of each entry of its batch.
  const int64_t period = cosines.rows(), pairs = cosines.columns();
  const int64_t step = rope.interleaved ? 2 : 1, other = rope.interleaved ? 1 : pairs;
  ParallelFor(args.threads, x.rows(), 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* cosine = cosines.row<float>(row % period);
      const float* sine = sines.row<float>(row % period);
      for (int64_t head = 0; head < rope.heads; ++head) {
        const float* from = x.row<float>(row) + head * 2 * pairs;
        float* to = y.row<float>(row) + head * 2 * pairs;
        for (int64_t j = 0; j < pairs; ++j) {
          const double a = from[j * step], b = from[j * step + other];
          to[j * step] = static_cast<float>(a * cosine[j] - b * sine[j]);
          to[j * step + other] = static_cast<float>(b * cosine[j] + a * sine[j]);
        }
      }
    }
  });
}

void RefRopeTable2d(const RefArgs& args) {
  const auto& table = args.attributes.get<RopeTable2d>();
  const int64_t rows = table.rows.Evaluate(args.extents);
  const int64_t columns = table.columns.Evaluate(args.extents);
  const int64_t frequencies = table.head_dim / 4;
  const auto place = [&](int64_t index, int64_t count, int64_t reference) {
    const auto position = static_cast<double>(index + table.offset);
    if (reference == 0) return position;
    return position / static_cast<double>(count) * static_cast<double>(reference);
  };
  for (int64_t token = 0; token < table.leading; ++token) {
    std::fill_n(args.outputs[0].row<float>(token), 2 * frequencies, 1.0f);
    std::fill_n(args.outputs[1].row<float>(token), 2 * frequencies, 0.0f);
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t token = table.leading + row * columns + column;
      float* cosine = args.outputs[0].row<float>(token);
      float* sine = args.outputs[1].row<float>(token);
      for (int64_t j = 0; j < frequencies; ++j) {
        const double frequency =
            std::pow(table.theta, -static_cast<double>(j) / static_cast<double>(frequencies));
        const double x = place(column, columns, table.reference_columns) * frequency;
        const double y = place(row, rows, table.reference_rows) * frequency;
        cosine[j] = static_cast<float>(std::cos(x));
        sine[j] = static_cast<float>(std::sin(x));
        cosine[frequencies + j] = static_cast<float>(std::cos(y));
        sine[frequencies + j] = static_cast<float>(std::sin(y));
      }
    }
  }
}

void RefMultimodalRopeTable(const RefArgs& args) {
  const auto& table = args.attributes.get<MultimodalRopeTable>();
  const TensorArg &positions = args.inputs[0], &cosines = args.outputs[0];
  const int64_t sequences = positions.shape[1], tokens = positions.shape[2];
  int64_t pair = 0;
  for (int64_t axis = 0; axis < 3; ++axis) {
    for (int64_t i = 0; i < table.sections[static_cast<size_t>(axis)]; ++i, ++pair) {
      const double share = 2.0 * static_cast<double>(pair) / static_cast<double>(table.head_dim);
      const auto frequency = static_cast<float>(std::pow(table.theta, -share));
      for (int64_t row = 0; row < sequences * tokens; ++row) {
        const int64_t of_axis = axis * sequences + row / tokens;
        const int32_t position = positions.row<const int32_t>(of_axis)[row % tokens];
        const auto angle = static_cast<double>(static_cast<float>(position) * frequency);
        cosines.row<float>(row)[pair] = static_cast<float>(std::cos(angle));
        args.outputs[1].row<float>(row)[pair] = static_cast<float>(std::sin(angle));
      }
    }
  }
}

void RefResizeGrid(const RefArgs& args) {
  const auto& resize = args.attributes.get<ResizeGrid>();
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t from_columns = x.shape[1], to_columns = y.shape[1], width = y.shape[2];
  if (x.shape == y.shape) {  // every kernel here is 1 at distance 0 and 0 at the other samples
    for (int64_t row = 0; row < y.rows(); ++row) {
      std::copy_n(x.row<float>(row), width, y.row<float>(row));
    }
    return;
  }
  const std::vector<Taps> vertical = AxisTaps(resize.resampling, x.shape[0], y.shape[0]);
  const std::vector<Taps> horizontal = AxisTaps(resize.resampling, from_columns, to_columns);
  ParallelFor(args.threads, y.shape[0], 1, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(static_cast<size_t>(width));
    for (int64_t row = begin; row < end; ++row) {
      const Taps& rows = vertical[static_cast<size_t>(row)];
      for (int64_t column = 0; column < to_columns; ++column) {
        const Taps& columns = horizontal[static_cast<size_t>(column)];
        std::fill(sums.begin(), sums.end(), 0.0);
        for (size_t r = 0; r < rows.index.size(); ++r) {
          for (size_t c = 0; c < columns.index.size(); ++c) {
            const double weight = rows.weight[r] * columns.weight[c];
            const float* from = x.row<float>(rows.index[r] * from_columns + columns.index[c]);
            for (int64_t w = 0; w < width; ++w) sums[static_cast<size_t>(w)] += weight * from[w];
          }
        }
        float* to = y.row<float>(row * to_columns + column);
        std::transform(sums.begin(), sums.end(), to,
                       [](double sum) { return static_cast<float>(sum); });
      }
    }
  });
}

}  // namespace vernier
