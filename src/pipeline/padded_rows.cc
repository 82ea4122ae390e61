#include "pipeline/padded_rows.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "core/check.h"

namespace vernier {
namespace {

int AxisOf(const Dims& dims, const Dim& dim) {
  const auto found = std::ranges::find(dims, dim);
  return found == dims.end() ? -1 : static_cast<int>(found - dims.begin());
}

int64_t Elements(std::span<const int64_t> dims) {
  int64_t product = 1;
  for (const int64_t dim : dims) product *= dim;
  return product;
}

}  // namespace

std::optional<PaddedRows::Axes> PaddedRows::AxesOf(int value) const {
  const Dims& dims = decoder_.value(value).type.shape;
  const Axes axes = {AxisOf(dims, Dim::Symbol("sequences", SymbolKind::kRuntime)),
                     AxisOf(dims, Dim::Symbol("new_tokens"))};
  if (axes.sequences < 0 || axes.tokens < axes.sequences) return std::nullopt;
  return axes;
}

void PaddedRows::Take(const TapRecord& record, const TensorView& tensor) {
  const int value = decoder_.Find(record.name);
  if (value == kNoValue) return to_.Take(record, tensor);
  const std::optional<Axes> axes = AxesOf(value);
  if (!axes) return;
  auto at = taken_.find(record.name);
  if (at == taken_.end()) at = taken_.emplace(record.name, Blank(*axes, tensor)).first;
  Place(*axes, tensor, at->second);
  if (at->second.rows < rows_) return;
  const Taken whole = std::move(at->second);
  taken_.erase(at);
  to_.Take(record, whole.all.view());
}

PaddedRows::Taken PaddedRows::Blank(const Axes& axes, const TensorView& row) const {
  Shape all = row.shape;
  all.Set(axes.sequences, rows_);
  all.Set(axes.tokens, tokens_);
  return {.all = Tensor::Zeros(row.dtype, all)};
}

void PaddedRows::Place(const Axes& axes, const TensorView& row, Taken& taken) const {
  const auto dims = row.shape.dims();
  const auto sequences = static_cast<size_t>(axes.sequences);
  const auto tokens = static_cast<size_t>(axes.tokens);
  VN_CHECK(dims[sequences] == 1 && dims[tokens] <= tokens_ && taken.rows < rows_,
           "not a row of this batch");
  const int64_t outer = Elements(dims.first(sequences));
  const int64_t inner = Elements(dims.subspan(sequences + 1, tokens - sequences - 1));
  const int64_t token_bytes =
      Elements(dims.subspan(tokens + 1)) * static_cast<int64_t>(ByteSize(row.dtype));
  const int64_t own_bytes = dims[tokens] * token_bytes, row_bytes = tokens_ * token_bytes;
  const char* from = static_cast<const char*>(row.data);
  char* const to = static_cast<char*>(taken.all.data());
  for (int64_t before = 0; before < outer; ++before) {
    for (int64_t between = 0; between < inner; ++between, from += own_bytes) {
      const int64_t place = (before * rows_ + taken.rows) * inner + between;
      std::memcpy(to + (place + 1) * row_bytes - own_bytes, from, static_cast<size_t>(own_bytes));
    }
  }
  ++taken.rows;
}

}  // namespace vernier
