#include "backends/cpu/work_shares.h"

#include <algorithm>

namespace vernier {
namespace {

// Nothing else is published with a range: what units are made of is there before threads run.
constexpr std::memory_order kOrder = std::memory_order_relaxed;

uint64_t Packed(UnitRange units) {
  return static_cast<uint64_t>(units.begin) << 32 | static_cast<uint64_t>(units.end);
}

UnitRange Unpacked(uint64_t packed) {
  return {static_cast<int64_t>(packed >> 32), static_cast<int64_t>(packed & 0xffffffffu)};
}

}  // namespace

void WorkShare::Set(UnitRange units) { left_.store(Packed(units), kOrder); }

// A range that was left once never comes back, so that comparing it is enough to exchange it.
UnitRange WorkShare::Take(int64_t least, int64_t row) {
  uint64_t packed = left_.load(kOrder);
  while (true) {
    const UnitRange left = Unpacked(packed);
    if (left.empty()) return {};
    const int64_t half = (left.end - left.begin + 1) / 2, row_end = (left.begin / row + 1) * row;
    const int64_t end = std::min({left.end, row_end, left.begin + std::max(half, least)});
    if (left_.compare_exchange_weak(packed, Packed({end, left.end}), kOrder)) {
      return {left.begin, end};
    }
  }
}

UnitRange WorkShare::GiveUp() {
  uint64_t packed = left_.load(kOrder);
  while (true) {
    const UnitRange left = Unpacked(packed);
    const int64_t middle = left.begin + (left.end - left.begin + 1) / 2;
    if (left.empty() || middle == left.end) return {};
    if (left_.compare_exchange_weak(packed, Packed({left.begin, middle}), kOrder)) {
      return {middle, left.end};
    }
  }
}

void DealUnits(int64_t units, std::span<WorkShare> shares) {
  const auto count = static_cast<int64_t>(shares.size());
  for (int64_t slot = 0; slot < count; ++slot) {
    shares[static_cast<size_t>(slot)].Set({units * slot / count, units * (slot + 1) / count});
  }
}

UnitRange NextUnits(std::span<WorkShare> shares, int slot, int64_t least, int64_t row) {
  WorkShare& own = shares[static_cast<size_t>(slot)];
  const UnitRange next = own.Take(least, row);
  if (!next.empty()) return next;
  for (size_t other = 1; other < shares.size(); ++other) {
    const UnitRange taken_over =
        shares[(static_cast<size_t>(slot) + other) % shares.size()].GiveUp();
    if (taken_over.empty()) continue;
    own.Set(taken_over);
    return own.Take(least, row);
  }
  return {};
}

}  // namespace vernier
