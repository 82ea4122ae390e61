// One configuration on several devices: the table of a port's published figures, one column a
// device. A device that is not there is left out, and the table says so.
#pragma once

#include "bench_options.h"
#include "outcome.h"
#include "terminal.h"

namespace vernier {

/// Throws Error{kUsage} for a grid of several configurations, Error{kDevice} where none of the
/// devices is there.
Outcome BenchDevices(const BenchOptions& options, const GridLists& lists, Terminal& terminal);

}  // namespace vernier
