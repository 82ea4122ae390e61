#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/check.h"
#include "vernier/tensor.h"

namespace vernier {

Shape::Shape(std::initializer_list<int64_t> dims)
    : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("a shape of rank {} is not supported, the limit is {}", dims.size(), kMaxRank));
  }
  int64_t product = 1;
  for (int64_t dim : dims) {
    if (dim < 0 || (dim != 0 && __builtin_mul_overflow(product, dim, &product))) {
      throw Error(ErrorKind::kInput,
                  fmt::format("shape [{}] is negative or too large", fmt::join(dims, ", ")));
    }
  }
  rank_ = static_cast<int>(dims.size());
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (int64_t dim : dims()) product *= dim;
  return product;
}

bool Shape::operator==(const Shape& other) const {
  return std::ranges::equal(dims(), other.dims());
}

std::string Shape::ToString() const { return fmt::format("[{}]", fmt::join(dims(), ", ")); }

}  // namespace vernier
