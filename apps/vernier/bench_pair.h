// vernier bench --a … --b …: two settings timed alternately.
#pragma once

#include "bench/bench_result.h"
#include "bench_options.h"
#include "terminal.h"

namespace vernier {

/// Measures both sides into `result`: two runs and their comparison.
void MeasurePair(const BenchOptions& options, const GridLists& lists, Terminal& terminal,
                 BenchResult& result);

}  // namespace vernier
