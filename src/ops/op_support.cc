#include "ops/op_support.h"

#include <fmt/format.h>

#include <algorithm>

#include "vernier/error.h"

namespace vernier {

void ShapeError(const std::string& message) { throw Error(ErrorKind::kInput, message); }

void RequireRank(const ValueType& type, int low, int high, const char* what) {
  if (type.rank() < low || type.rank() > high) {
    const std::string range =
        low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
    ShapeError(fmt::format("{} must have {} dimension{}, got {}", what, range, high == 1 ? "" : "s",
                           ToString(type.shape)));
  }
}

void RequireEqual(const Dim& found, const Dim& expected, const char* what) {
  if (!(found == expected)) {
    ShapeError(fmt::format("{} is {}, expected {}", what, found.ToString(), expected.ToString()));
  }
}

Dims Broadcast(const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const Dim one = 1;
    const Dim& left = i < a.size() ? a[a.size() - 1 - i] : one;
    const Dim& right = i < b.size() ? b[b.size() - 1 - i] : one;
    if (!(left == right) && !(left == one) && !(right == one)) {
      ShapeError(fmt::format("shapes {} and {} do not broadcast", ToString(a), ToString(b)));
    }
    result[result.size() - 1 - i] = left == one ? right : left;
  }
  return result;
}

Dim WindowCount(const Dim& extent, const Dim& kernel, int64_t stride, int64_t padding) {
  return FloorDiv(extent + 2 * padding - kernel, stride) + 1;
}

int NormalAxis(int axis, int rank) {
  const int normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= rank) {
    ShapeError(fmt::format("axis {} of a value with {} dimensions", axis, rank));
  }
  return normal;
}

}  // namespace vernier
