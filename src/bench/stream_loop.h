// Several streams of work timed while they run side by side, each on a thread of its own.
#pragma once

#include <functional>
#include <span>

#include "bench/timing_loop.h"

namespace vernier {

struct StreamTiming {
  Timing timing;       // samples of all streams, in the order in which they ended
  double wall_ms = 0;  // from the first sample's begin to the last one's end
};

/// First runs one after the other (the first stream's is reported), then warm-up and samples side
/// by side: no stream begins its samples before all are warm, and all go on until together they
/// have what `options` asks for. `before_sample` is not called. An exception of any stream ends
/// all and is thrown.
StreamTiming TimeStreams(std::span<const std::function<void()>> streams,
                         const TimingOptions& options);

}  // namespace vernier
