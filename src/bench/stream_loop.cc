#include "bench/stream_loop.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/interrupt.h"

namespace vernier {
namespace {

struct Sample {
  double end_ms = 0;
  double ms = 0;
};

struct Stream {
  std::vector<double> warm_up_ms;
  std::vector<Sample> samples;
};

class StreamLoop {
 public:
  StreamLoop(std::span<const std::function<void()>> works, const TimingOptions& options)
      : works_(works),
        options_(options),
        streams_(works.size()),
        all_warm_(static_cast<std::ptrdiff_t>(works.size())) {}

  StreamTiming Run() {
    for (size_t i = 0; i < works_.size(); ++i) {
      streams_[i].warm_up_ms = {TimeOnce(works_[i], *options_.clock)};
    }
    std::vector<std::thread> threads;
    for (size_t i = 0; i < works_.size(); ++i) {
      threads.emplace_back([this, i] { RunStream(i); });
    }
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    return Merged();
  }

 private:
  void RunStream(size_t index) {
    Stream& stream = streams_[index];
    Guarded([&] {
      while (!Interrupted() && !stop_ && NeedsMoreWarmUp(stream.warm_up_ms, options_.warm_up)) {
        stream.warm_up_ms.push_back(TimeOnce(works_[index], *options_.clock));
      }
    });
    all_warm_.arrive_and_wait();
    Guarded([&] {
      const double start_ms = options_.clock->NowMs();
      while (!Interrupted() && !stop_) {
        const double ms = TimeOnce(works_[index], *options_.clock);
        const double end_ms = options_.clock->NowMs();
        stream.samples.push_back({end_ms, ms});
        if (++taken_ >= options_.runs && end_ms - start_ms >= options_.min_ms) stop_ = true;
      }
    });
  }

  void Guarded(const std::function<void()>& body) {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
      stop_ = true;
    }
  }

  StreamTiming Merged() const {
    StreamTiming merged;
    merged.timing.first_run_ms = streams_[0].warm_up_ms[0];
    merged.timing.complete = !Interrupted();
    std::vector<Sample> samples;
    for (const Stream& stream : streams_) {
      samples.insert(samples.end(), stream.samples.begin(), stream.samples.end());
      const WarmUp warm_up = Describe(stream.warm_up_ms, options_.warm_up);
      WarmUp& worst = merged.timing.warm_up;
      worst.runs = std::max(worst.runs, warm_up.runs);
      worst.ms = std::max(worst.ms, warm_up.ms);
      // The least certain of all streams speaks for them.
      if (&stream == &streams_[0] || warm_up.steadiness > worst.steadiness) {
        worst.steadiness = warm_up.steadiness;
      }
    }
    std::ranges::sort(samples, {}, &Sample::end_ms);
    double begin_ms = samples.empty() ? 0 : samples[0].end_ms - samples[0].ms;
    for (const Sample& sample : samples) {
      begin_ms = std::min(begin_ms, sample.end_ms - sample.ms);
      merged.timing.samples_ms.push_back(sample.ms);
    }
    if (!samples.empty()) merged.wall_ms = samples.back().end_ms - begin_ms;
    return merged;
  }

  std::span<const std::function<void()>> works_;
  const TimingOptions& options_;
  std::vector<Stream> streams_;
  std::barrier<> all_warm_;
  std::atomic<int> taken_ = 0;
  std::atomic<bool> stop_ = false;
  std::exception_ptr failure_;
  std::mutex failure_mutex_;
};

}  // namespace

StreamTiming TimeStreams(std::span<const std::function<void()>> streams,
                         const TimingOptions& options) {
  return StreamLoop(streams, options).Run();
}

}  // namespace vernier
