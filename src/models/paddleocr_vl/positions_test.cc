#include "models/paddleocr_vl/positions.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/json.h"
#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/paddleocr_vl/";

// The ids of row `row` without its padding, which stands on the left.
std::vector<int32_t> UnpaddedIds(const Tensor& ids, const Tensor& mask, int64_t row) {
  const int64_t tokens = ids.shape()[1];
  std::vector<int32_t> found;
  for (int64_t i = row * tokens; i < (row + 1) * tokens; ++i) {
    if (mask.as<int64_t>()[static_cast<size_t>(i)] == 0) continue;
    found.push_back(static_cast<int32_t>(ids.as<int64_t>()[static_cast<size_t>(i)]));
  }
  return found;
}

std::vector<OcrGrid> Grids(const std::string& folder) {
  std::vector<OcrGrid> grids;
  if (folder.ends_with("text_only")) return grids;
  const Tensor rows = ReadNpy(folder + "/image_grid_thw.npy");
  for (size_t i = 0; i < rows.as<int64_t>().size(); i += 3) {
    grids.push_back({rows.as<int64_t>()[i + 1], rows.as<int64_t>()[i + 2], 2});
  }
  return grids;
}

TEST(PaddleOcrVlPositions, AreThoseOfTheReferenceWithTheirDelta) {
  for (const char* name : {"one_image", "two_images", "batch2_left_padding", "original_keys",
                           "options", "text_only"}) {
    const std::string folder = kGoldens + name;
    const Tensor ids = ReadNpy(folder + "/input_ids.npy");
    const Tensor mask = ReadNpy(folder + "/attention_mask.npy");
    const Tensor expected = ReadNpy(folder + "/position_ids.npy");
    const Tensor deltas = ReadNpy(folder + "/rope_deltas.npy");
    const std::vector<OcrGrid> grids = Grids(folder);
    const int64_t rows = ids.shape()[0], tokens = ids.shape()[1];
    for (int64_t row = 0; row < rows; ++row) {
      SCOPED_TRACE(fmt::format("{} row {}", name, row));
      const std::vector<int32_t> unpadded = UnpaddedIds(ids, mask, row);
      // With several rows each has one picture.
      const auto own =
          rows == 1 ? std::span(grids) : std::span(grids).subspan(static_cast<size_t>(row), 1);
      const SequencePositions found = PositionsOf(unpadded, 6, own);
      EXPECT_EQ(found.delta, deltas.as<int64_t>()[static_cast<size_t>(row)]);
      for (int64_t axis = 0; axis < 3; ++axis) {
        const auto begin = static_cast<size_t>((axis * rows + row + 1) * tokens) - unpadded.size();
        const auto real = expected.as<int64_t>().subspan(begin, unpadded.size());
        EXPECT_TRUE(std::ranges::equal(found.axes[static_cast<size_t>(axis)], real));
      }
    }
  }
}

TEST(PaddleOcrVlPositions, TellPicturesApartThatTouch) {
  const OcrGrid grid{2, 4, 2};
  const SequencePositions found =
      PositionsOf(std::vector{6, 6, 6, 6, 1}, 6, std::vector{grid, grid});
  EXPECT_THAT(found.axes[2], ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(found.axes[1], ElementsAre(0, 0, 2, 2, 4));
  EXPECT_EQ(found.delta, 0);
}

void ExpectRefused(const std::vector<int32_t>& ids, const std::string& message) {
  try {
    PositionsOf(ids, 6, std::vector{OcrGrid{6, 10, 2}});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), message);
  }
}

TEST(PaddleOcrVlPositions, RefuseTokensThatArePicturesOnlyInPart) {
  ExpectRefused({1, 2}, "Image features and image tokens do not match: tokens: 0, features 15");
  ExpectRefused(std::vector<int32_t>(14, 6),
                "Image features and image tokens do not match: tokens: 14, features 15");
  std::vector<int32_t> parted(16, 6);
  parted[5] = 1;
  ExpectRefused(parted, "the tokens of picture 1 do not stand together: 5 of 15 do");
}

}  // namespace
}  // namespace vernier
