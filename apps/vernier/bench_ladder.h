// vernier bench --ladder … or --rung …: several settings timed in turns, as a table of gains.
#pragma once

#include <span>

#include "bench/bench_result.h"
#include "bench_options.h"
#include "terminal.h"

namespace vernier {

/// Measures the rungs at the one batch size of `lists` into `result`: a run for each, and the
/// ladder. A rung that cannot be made ready is reported and the others go on. Throws what the first
/// one throws.
void MeasureLadder(const BenchOptions& options, const GridLists& lists, Terminal& terminal,
                   BenchResult& result);

/// `runs` are those of the command.
void PrintLadder(const Ladder& ladder, std::span<const Measurement> runs, Terminal& terminal);

}  // namespace vernier
