#include "models/paddleocr_vl/positions.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/paddleocr_vl/prompt.h"
#include "vernier/error.h"

namespace vernier {
namespace {

class PositionWriter {
 public:
  explicit PositionWriter(size_t tokens) {
    for (auto& axis : positions_.axes) axis.reserve(tokens);
  }

  void Text() {
    Add(0, 0);
    ++next_;
  }

  void Picture(const OcrGrid& grid) {
    const auto rows = static_cast<int32_t>(grid.rows / grid.merge);
    const auto columns = static_cast<int32_t>(grid.columns / grid.merge);
    for (int32_t row = 0; row < rows; ++row) {
      for (int32_t column = 0; column < columns; ++column) Add(row, column);
    }
    next_ += std::max(rows, columns);
  }

  // The longer side of a picture bounds its positions, so the next position is the largest plus 1.
  SequencePositions Take() {
    positions_.delta = next_ - static_cast<int64_t>(positions_.axes[0].size());
    return std::move(positions_);
  }

 private:
  void Add(int32_t row, int32_t column) {
    positions_.axes[0].push_back(next_);
    positions_.axes[1].push_back(next_ + row);
    positions_.axes[2].push_back(next_ + column);
  }

  SequencePositions positions_;
  int32_t next_ = 0;
};

}  // namespace

void RequireImageTokens(int64_t tokens, int64_t features) {
  if (tokens == features) return;
  throw Error(ErrorKind::kInput,
              fmt::format("Image features and image tokens do not match: tokens: {}, features {}",
                          tokens, features),
              fmt::format("the prompt lacks {} for a picture, or has it too often; filled in, {} "
                          "stands once for each feature",
                          kImageSlot, kImagePlaceholder));
}

SequencePositions PositionsOf(std::span<const int32_t> ids, int32_t image_token,
                              std::span<const OcrGrid> pictures) {
  int64_t features = 0;
  for (const OcrGrid& grid : pictures) features += grid.tokens();
  RequireImageTokens(std::ranges::count(ids, image_token), features);
  PositionWriter writer(ids.size());
  size_t picture = 0;
  for (size_t at = 0; at < ids.size();) {
    if (ids[at] != image_token) {
      writer.Text();
      ++at;
      continue;
    }
    const OcrGrid& grid = pictures[picture];
    const auto end = at + static_cast<size_t>(grid.tokens());
    const auto run = ids.subspan(at, std::min(end, ids.size()) - at);
    if (end > ids.size() || std::ranges::count(run, image_token) != grid.tokens()) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("the tokens of picture {} do not stand together: {} of {} do", picture + 1,
                      std::ranges::find_if(run, [&](int32_t id) { return id != image_token; }) -
                          run.begin(),
                      grid.tokens()),
          fmt::format("{} stands once for each token of a picture, without a break",
                      kImagePlaceholder));
    }
    writer.Picture(grid);
    ++picture;
    at = end;
  }
  return writer.Take();
}

}  // namespace vernier
