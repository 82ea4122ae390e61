// Time as the timing loops see it: a seam, so that tests of their rules take no time.
#pragma once

namespace vernier {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds from a fixed moment; never goes back.
  virtual double NowMs() = 0;
};

/// The machine's steady clock. May be used from any thread.
Clock& SteadyClock();

}  // namespace vernier
