#include "runtime/state.h"

#include <algorithm>

#include "core/check.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr KvLayout kLayout{.kv_heads = 2, .head_dim = 3};

// Appends a token whose keys say which it is; values are their negatives.
void Append(KvState& state, int64_t row, float token) {
  KvView& view = state.view();
  const int64_t at = view.lengths[row]++;
  for (int64_t head = 0; head < kLayout.kv_heads; ++head) {
    for (int64_t c = 0; c < kLayout.head_dim; ++c) {
      const int64_t offset = view.Offset(row, head, at) + c;
      static_cast<float*>(view.keys)[offset] = token;
      static_cast<float*>(view.values)[offset] = -token;
    }
  }
}

std::vector<float> Tokens(KvState& state, int64_t row) {
  const KvView& view = state.view();
  std::vector<float> tokens;
  for (int64_t t = 0; t < state.length(row); ++t) {
    const int64_t offset = view.Offset(row, 1, t) + 2;
    tokens.push_back(static_cast<const float*>(view.keys)[offset]);
    EXPECT_EQ(static_cast<const float*>(view.values)[offset], -tokens.back());
  }
  return tokens;
}

TEST(KvState, KeepsEachRowsHistoryThroughAnySelection) {
  constexpr int64_t kRows = 4;
  KvState state(kRows, 3 * KvView::kBlockTokens, kLayout);
  std::vector<std::vector<float>> histories(kRows);
  float token = 0;
  // Children of one row, rows that die, rows that swap, all over the edges of blocks.
  const std::vector<std::vector<int32_t>> selections = {
      {0, 0, 0, 0}, {3, 2, 1, 0}, {1, 1, 2, 2}, {2}, {0, 0, 0}, {2, 0, 1, 1}, {0, 1, 2, 3}};
  for (int step = 0; step < 3 * KvView::kBlockTokens; ++step) {
    for (size_t row = 0; row < histories.size(); ++row) {
      histories[row].push_back(++token);
      Append(state, static_cast<int64_t>(row), token);
    }
    const auto& parents = selections[static_cast<size_t>(step) % selections.size()];
    std::vector<int32_t> bounded;  // a selection may follow one that left fewer rows
    for (int32_t parent : parents) {
      bounded.push_back(std::min(parent, static_cast<int32_t>(histories.size()) - 1));
    }
    state.Select(bounded);
    std::vector<std::vector<float>> next;
    for (int32_t parent : bounded) next.push_back(histories[static_cast<size_t>(parent)]);
    histories = std::move(next);
    for (size_t row = 0; row < histories.size(); ++row) {
      ASSERT_EQ(Tokens(state, static_cast<int64_t>(row)), histories[row]) << step;
    }
  }
}

TEST(KvState, SharesFullBlocksBetweenChildren) {
  KvState state(2, 2 * KvView::kBlockTokens, kLayout);
  for (int i = 0; i < KvView::kBlockTokens + 1; ++i) Append(state, 0, static_cast<float>(i));
  state.Select(std::vector<int32_t>{0, 0});
  EXPECT_EQ(state.view().Offset(0, 0, 0), state.view().Offset(1, 0, 0));
  EXPECT_NE(state.view().Offset(0, 0, KvView::kBlockTokens),
            state.view().Offset(1, 0, KvView::kBlockTokens));
}

TEST(KvState, EmptiesRowsThatAreNotSelected) {
  KvState state(3, 64, kLayout);
  for (int64_t row = 0; row < 3; ++row) Append(state, row, 1);
  state.Select(std::vector<int32_t>{2});
  EXPECT_EQ(state.length(0), 1);
  EXPECT_EQ(state.length(1), 0);
  state.Clear();
  EXPECT_EQ(state.length(0), 0);
}

TEST(KvState, ShowsOneRowAsACacheOfItsOwn) {
  KvState state(3, 64, kLayout);
  KvView second = state.RowView(1);
  EXPECT_EQ(second.Offset(0, 0, 0), state.view().Offset(1, 0, 0));
  second.lengths[0] = 5;
  EXPECT_EQ(state.length(1), 5);
  EXPECT_THROW(state.RowView(3), Error);
}

TEST(KvState, SaysWhatMemoryWasRefused) {
  try {
    const KvState state(1, int64_t{1} << 44, {2, 64});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kResource);
    EXPECT_NE(error.message().find("bytes of a key-value cache were refused"), std::string::npos);
  }
}

}  // namespace
}  // namespace vernier
