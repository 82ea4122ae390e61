#include "bench/clock.h"

#include <chrono>

namespace vernier {
namespace {

class Steady : public Clock {
 public:
  double NowMs() override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
  }
};

}  // namespace

Clock& SteadyClock() {
  static Steady clock;
  return clock;
}

}  // namespace vernier
