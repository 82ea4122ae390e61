#include "verify/axis_orders.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "io/strided_copy.h"

namespace vernier {
namespace {

constexpr int kMostAxes = 5;  // 120 orders

bool IsInOrder(const std::vector<int>& axes) { return std::ranges::is_sorted(axes); }

/// Whether each of `coarse` is a product of consecutive `fine` extents; extents of 1 do not count.
bool Groups(const std::vector<int64_t>& fine, const Shape& coarse) {
  size_t at = 0;
  for (const int64_t extent : coarse.dims()) {
    int64_t product = 1;
    while (product < extent && at < fine.size()) product *= fine[at++];
    if (product != extent) return false;
  }
  return std::all_of(fine.begin() + static_cast<std::ptrdiff_t>(at), fine.end(),
                     [](int64_t extent) { return extent == 1; });
}

std::string Words(const char* side, const std::vector<int>& axes, int other_rank) {
  if (IsInOrder(axes)) return "";
  std::string words = fmt::format("{} transposed by ({})", side, fmt::join(axes, ", "));
  if (other_rank != 4) return words;
  if (axes == std::vector{0, 3, 1, 2}) words += ", NHWC to NCHW";
  if (axes == std::vector{0, 2, 3, 1}) words += ", NCHW to NHWC";
  return words;
}

/// Orders of the axes of `moved` in which they group to `fixed`.
void AddOrders(const Shape& moved, const Shape& fixed, bool of_reference,
               std::vector<AxisOrder>& orders) {
  if (moved.rank() > kMostAxes) return;
  std::vector<int> axes(static_cast<size_t>(moved.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  do {
    // Where an axis of extent 1 stands changes nothing: keep those at their places.
    bool plain = true;
    std::vector<int64_t> extents;
    for (size_t i = 0; i < axes.size(); ++i) {
      extents.push_back(moved[axes[i]]);
      plain &= moved[axes[i]] != 1 || axes[i] == static_cast<int>(i);
    }
    if (!plain || !Groups(extents, fixed)) continue;
    orders.push_back(
        {of_reference, axes, Words(of_reference ? "reference" : "candidate", axes, fixed.rank())});
  } while (std::ranges::next_permutation(axes).found);
}

}  // namespace

std::vector<AxisOrder> FittingOrders(const Shape& reference, const Shape& candidate) {
  std::vector<AxisOrder> orders;
  if (reference.elements() != candidate.elements() || reference.elements() == 0) return orders;
  AddOrders(candidate, reference, false, orders);
  // A reference with more axes is the side to move.
  if (orders.empty()) AddOrders(reference, candidate, true, orders);
  return orders;
}

Tensor Transposed(const TensorView& view, const std::vector<int>& axes) {
  const std::vector<int64_t> strides = RowMajorStrides(view.shape);
  Shape shape = view.shape;
  std::vector<int64_t> moved;
  for (size_t i = 0; i < axes.size(); ++i) {
    shape.Set(static_cast<int>(i), view.shape[axes[i]]);
    moved.push_back(strides[static_cast<size_t>(axes[i])]);
  }
  Tensor out(view.dtype, shape);
  CopyStrided({.data = static_cast<const uint8_t*>(view.data),
               .dtype = view.dtype,
               .shape = shape,
               .strides = moved},
              out.data());
  return out;
}

}  // namespace vernier
