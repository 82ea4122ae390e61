// A clock that moves only when a test says so, and work that takes exactly as long as written down.
#pragma once

#include <functional>
#include <utility>

#include "bench/clock.h"

namespace vernier::testing {

class FakeClock : public Clock {
 public:
  double NowMs() override { return now_ms_; }
  void Advance(double ms) { now_ms_ += ms; }

 private:
  double now_ms_ = 0;
};

/// Work whose n-th call (from 0) takes duration(n) milliseconds of `clock`.
inline std::function<void()> WorkTaking(FakeClock& clock, std::function<double(int)> duration) {
  return [&clock, duration = std::move(duration), calls = 0]() mutable {
    clock.Advance(duration(calls++));
  };
}

}  // namespace vernier::testing
