#include "backends/ref/picture_grids.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "backends/picture_grids.h"
#include "core/parallel.h"
#include "ops/gather.h"
#include "ops/picture_grids.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Between which two samples of an axis an output sample lies, and how near to the second.
struct Between {
  int64_t low, high;
  double fraction;
};

// The source position in fp32 and in this order of operations: on an edge between two samples the
// rounding decides.
Between BetweenSamples(int64_t i, int64_t from, int64_t to) {
  const float source =
      (static_cast<float>(i) + 0.5f) * static_cast<float>(from) / static_cast<float>(to) - 0.5f;
  const float low = std::floor(source);
  const auto clamped = [&](float at) {
    return std::clamp<int64_t>(static_cast<int64_t>(at), 0, from - 1);
  };
  return {clamped(low), clamped(low + 1.0f), static_cast<double>(source) - low};
}

}  // namespace

void RefGridPositions(const RefArgs& args) {
  const TensorArg &table = args.inputs[0], &y = args.outputs[0];
  const int64_t rows = table.shape[0], columns = table.shape[1], width = y.columns();
  const PictureGrids grids(args.inputs[1], y.rows());
  grids.ForEach([&](const PictureGrid& grid) {
    ParallelFor(args.threads, grid.patches(), 16, [&](int64_t begin, int64_t end) {
      for (int64_t patch = begin; patch < end; ++patch) {
        const Between down = BetweenSamples(patch / grid.columns, rows, grid.rows);
        const Between right = BetweenSamples(patch % grid.columns, columns, grid.columns);
        const float* sample[] = {table.row<const float>(down.low * columns + right.low),
                                 table.row<const float>(down.low * columns + right.high),
                                 table.row<const float>(down.high * columns + right.low),
                                 table.row<const float>(down.high * columns + right.high)};
        float* to = y.row<float>(grid.first + patch);
        for (int64_t c = 0; c < width; ++c) {
          const double above = sample[0][c] * (1 - right.fraction) + sample[1][c] * right.fraction;
          const double below = sample[2][c] * (1 - right.fraction) + sample[3][c] * right.fraction;
          to[c] = static_cast<float>(above * (1 - down.fraction) + below * down.fraction);
        }
      }
    });
  });
}

void RefGridRotary(const RefArgs& args) {
  const auto& rotary = args.attributes.get<GridRotary>();
  const TensorArg &cosines = args.outputs[0], &sines = args.outputs[1];
  const int64_t count = rotary.head_dim / 4;
  const PictureGrids grids(args.inputs[0], cosines.rows());
  for (int64_t pair = 0; pair < 2 * count; ++pair) {
    const double share = static_cast<double>(pair % count) / static_cast<double>(count);
    const auto frequency = static_cast<float>(std::pow(rotary.theta, -share));
    grids.ForEach([&](const PictureGrid& grid) {
      for (int64_t patch = 0; patch < grid.patches(); ++patch) {
        const int64_t place = pair < count ? patch / grid.columns : patch % grid.columns;
        const auto angle = static_cast<double>(static_cast<float>(place) * frequency);
        cosines.row<float>(grid.first + patch)[pair] = static_cast<float>(std::cos(angle));
        sines.row<float>(grid.first + patch)[pair] = static_cast<float>(std::sin(angle));
      }
    });
  }
}

void RefGridSegments(const RefArgs& args) {
  const int64_t patches = args.attributes.get<GridSegments>().patches.Evaluate(args.extents);
  auto* offset = args.outputs[0].row<int32_t>(0);
  PictureGrids(args.inputs[0], patches).ForEach([&](const PictureGrid& grid) {
    *offset++ = static_cast<int32_t>(grid.first);
  });
  *offset = static_cast<int32_t>(patches);
}

void RefMergeGrid(const RefArgs& args) {
  const int64_t side = args.attributes.get<MergeGrid>().side;
  const TensorArg &x = args.inputs[0], &y = args.outputs[0];
  const int64_t width = x.columns();
  const PictureGrids grids(args.inputs[1], x.rows(), side);
  grids.ForEach([&](const PictureGrid& grid) {
    const int64_t columns = grid.columns / side, to = grid.first / (side * side);
    for (int64_t token = 0; token < grid.patches() / (side * side); ++token) {
      const int64_t corner = token / columns * side * grid.columns + token % columns * side;
      float* row = y.row<float>(to + token);
      for (int64_t i = 0; i < side * side; ++i) {
        const int64_t patch = grid.first + corner + i / side * grid.columns + i % side;
        row = std::copy_n(x.row<const float>(patch), width, row);
      }
    }
  });
}

void RefPlacePictures(const RefArgs& args) {
  const auto& place = args.attributes.get<PlacePictures>();
  const TensorArg &x = args.inputs[0], &ids = args.inputs[1], &rows = args.inputs[2];
  const TensorArg& y = args.outputs[0];
  const int64_t tokens = ids.columns(), features = rows.shape[0];
  const auto is_place = [&](int64_t token) {
    return ids.row<const int32_t>(token / tokens)[token % tokens] == place.placeholder;
  };
  int64_t places = 0;
  for (int64_t token = 0; token < x.rows(); ++token) places += is_place(token) ? 1 : 0;
  if (places < features) {
    // The published implementation's words, which users look for.
    throw Error(ErrorKind::kInput,
                fmt::format("Image features and image tokens do not match: tokens: {}, features {}",
                            places, features),
                place.hint);
  }
  int64_t next = 0;
  for (int64_t token = 0; token < x.rows(); ++token) {
    const bool placed = next < features && is_place(token);
    const float* from = placed ? rows.row<const float>(next++) : x.row<const float>(token);
    std::copy_n(from, y.columns(), y.row<float>(token));
  }
}

}  // namespace vernier
