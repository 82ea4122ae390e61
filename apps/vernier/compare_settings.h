// `vernier compare` where a side is run on the spot: settings, bisection, self-checks.
#pragma once

#include "compare_options.h"
#include "outcome.h"
#include "terminal.h"
#include "verify/comparison.h"

namespace vernier {

/// Whether one of the sides is a setting.
bool RunsASide(const CompareVerbOptions& options);

/// Runs, compares and judges; with --bisect also looks for the nodes that must stay in f32 and
/// writes the precision file. Throws Error{kUsage} for sides that cannot be compared so.
Comparison CompareRunning(const CompareVerbOptions& options, Terminal& terminal);

/// --self.
Outcome RunSelfChecks(const CompareVerbOptions& options, Terminal& terminal);

}  // namespace vernier
