// Work that lies in a row, as units, shared by threads: each works through a part of its own from
// front to back, so that what lies behind a unit can be fetched ahead; who has done with its part
// takes over the rear half of what another has left. No thread waits long for one that was
// interrupted or has the slower core, and nobody jumps about before the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

namespace vernier {

struct UnitRange {
  int64_t begin = 0;
  int64_t end = 0;

  bool empty() const { return begin >= end; }
};

/// What a thread has left of its part; on a cache line of its own. Fewer than 2^32 units.
class alignas(64) WorkShare {
 public:
  /// Only where the share is empty, or before threads run.
  void Set(UnitRange units);
  /// From the front: half of what is left, but at least `least` and at most up to the next multiple
  /// of `row`. Empty when nothing is left.
  UnitRange Take(int64_t least, int64_t row);
  /// The rear half of what is left; empty when that is one unit.
  UnitRange GiveUp();

 private:
  std::atomic<uint64_t> left_ = 0;  // begin in the upper half, end in the lower
};

/// Deals [0, units) out evenly.
void DealUnits(int64_t units, std::span<WorkShare> shares);

/// The next units for `slot`, its own or taken over; empty when there are none.
UnitRange NextUnits(std::span<WorkShare> shares, int slot, int64_t least, int64_t row);

}  // namespace vernier
