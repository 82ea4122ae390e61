#include "backends/ref/gather.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "vernier/error.h"

namespace vernier {
namespace {

double IdAt(const TensorArg& ids, int64_t index) {
  const int64_t row = index / ids.columns(), column = index % ids.columns();
  if (ids.dtype == DType::kI32) return ids.row<int32_t>(row)[column];
  if (ids.dtype == DType::kI64) return static_cast<double>(ids.row<int64_t>(row)[column]);
  return ids.row<float>(row)[column];
}

}  // namespace

int64_t CheckedRowId(const TensorArg& ids, int64_t index, int64_t rows) {
  const double id = IdAt(ids, index);
  if (!(id >= 0 && id < static_cast<double>(rows)) || id != std::floor(id)) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("id {} at position {} is no row of a table with {} rows", id, index, rows));
  }
  return static_cast<int64_t>(id);
}

void RefGather(const RefArgs& args) {
  const TensorArg &table = args.inputs[0], &ids = args.inputs[1], &y = args.outputs[0];
  const int64_t rows = table.shape[0];
  const int64_t run = rows == 0 ? 0 : table.rows() / rows;  // stored rows of one id
  const size_t bytes = static_cast<size_t>(y.columns()) * sizeof(float);
  for (int64_t i = 0; i < ids.shape.elements(); ++i) {
    const int64_t id = CheckedRowId(ids, i, rows);
    for (int64_t r = 0; r < run; ++r) {
      std::memcpy(y.row<float>(i * run + r), table.row<float>(id * run + r), bytes);
    }
  }
}

}  // namespace vernier
