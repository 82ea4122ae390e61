#include "backends/picture_grids.h"

#include <fmt/format.h>

#include "vernier/error.h"

namespace vernier {
namespace {

void CheckGrid(const int32_t* grid, int64_t picture, int64_t side) {
  if (grid[0] != 1) {
    throw Error(ErrorKind::kInput,
                fmt::format("the grid of picture {} has {} frames, expected 1", picture, grid[0]),
                "a grid is frames, rows and columns of patches; videos are not supported");
  }
  if (grid[1] < 1 || grid[2] < 1) {
    throw Error(ErrorKind::kInput, fmt::format("the grid of picture {} is {} x {} patches, "
                                               "expected at least 1 x 1",
                                               picture, grid[1], grid[2]));
  }
  if (grid[1] % side != 0 || grid[2] % side != 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("the grid of picture {} is {} x {} patches, which do not divide into "
                            "groups of {} x {}",
                            picture, grid[1], grid[2], side, side));
  }
}

}  // namespace

PictureGrids::PictureGrids(const TensorArg& grids, int64_t patches, int64_t side) : grids_(grids) {
  int64_t held = 0;
  for (int64_t picture = 0; picture < count(); ++picture) {
    const auto* grid = grids.row<const int32_t>(picture);
    CheckGrid(grid, picture, side);
    held += int64_t{grid[1]} * grid[2];
    if (held > patches) break;  // before sums of hostile grids run over
  }
  if (held != patches) {
    throw Error(ErrorKind::kInput,
                fmt::format("the pictures' grids hold {}{} patches, and {} were given",
                            held > patches ? "at least " : "", held, patches));
  }
}

}  // namespace vernier
