#include "runtime/state.h"

#include <algorithm>
#include <numeric>

namespace vernier {

KvState::KvState(int64_t rows, int64_t capacity, int64_t width) {
  const int64_t blocks_per_row = (capacity + KvView::kBlockTokens - 1) / KvView::kBlockTokens;
  const Shape shape{rows * blocks_per_row, KvView::kBlockTokens, width};
  keys_ = Tensor(DType::kF32, shape);
  values_ = Tensor(DType::kF32, shape);
  block_table_.resize(static_cast<size_t>(rows * blocks_per_row));
  std::iota(block_table_.begin(), block_table_.end(), 0);
  lengths_.assign(static_cast<size_t>(rows), 0);
  view_.keys = keys_.as<float>().data();
  view_.values = values_.as<float>().data();
  view_.width = width;
  view_.rows = rows;
  view_.blocks_per_row = blocks_per_row;
  view_.block_table = block_table_.data();
  view_.lengths = lengths_.data();
}

void KvState::Clear() { std::ranges::fill(lengths_, 0); }

}  // namespace vernier
