#include "runtime/arena.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "core/rounding.h"

namespace vernier {
namespace {

constexpr size_t kAlignment = 64;

// True when `first` is dead before `second` is written.
bool DeadBefore(const ArenaValue& first, const ArenaValue& second, const HappensBefore& before,
                int steps) {
  if (first.uses.empty()) return before(first.definition, second.definition);
  return std::ranges::all_of(
      first.uses, [&](int use) { return use < steps && before(use, second.definition); });
}

}  // namespace

HappensBefore::HappensBefore(const std::vector<std::vector<int>>& predecessors)
    : words_((predecessors.size() + 63) / 64), reached_(predecessors.size() * words_) {
  for (size_t step = 0; step < predecessors.size(); ++step) {
    for (int predecessor : predecessors[step]) {
      const auto p = static_cast<size_t>(predecessor);
      for (size_t w = 0; w < words_; ++w) reached_[step * words_ + w] |= reached_[p * words_ + w];
      reached_[step * words_ + p / 64] |= uint64_t{1} << (p % 64);
    }
  }
}

bool HappensBefore::operator()(int a, int b) const {
  const auto from = static_cast<size_t>(a), to = static_cast<size_t>(b);
  return (reached_[to * words_ + from / 64] >> (from % 64)) & 1u;
}

ArenaPlan PlaceInArena(const std::vector<ArenaValue>& values, const HappensBefore& before,
                       int steps) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order,
                           [&](size_t a, size_t b) { return values[a].bytes > values[b].bytes; });
  ArenaPlan plan;
  plan.offsets.resize(values.size());
  std::vector<size_t> placed;  // by rising offset
  for (size_t value : order) {
    const size_t bytes = RoundUp(values[value].bytes, kAlignment);
    size_t offset = 0;
    for (size_t other : placed) {
      if (DeadBefore(values[value], values[other], before, steps) ||
          DeadBefore(values[other], values[value], before, steps)) {
        continue;
      }
      if (offset + bytes <= plan.offsets[other]) break;
      const size_t other_bytes = RoundUp(values[other].bytes, kAlignment);
      offset = std::max(offset, plan.offsets[other] + other_bytes);
    }
    plan.offsets[value] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    const auto place = std::ranges::upper_bound(placed, offset, {},
                                                [&](size_t other) { return plan.offsets[other]; });
    placed.insert(place, value);
  }
  return plan;
}

}  // namespace vernier
