// What `vernier compare` shows people.
#pragma once

#include <string>

#include "terminal.h"
#include "verify/comparison.h"

namespace vernier {

struct TableOptions {
  int64_t top = 20;  // tensors shown, worst first; 0: all, in the order of the run
  bool all_figures = false;
};

void PrintComparison(const Comparison& comparison, const TableOptions& options, Terminal& terminal);

}  // namespace vernier
