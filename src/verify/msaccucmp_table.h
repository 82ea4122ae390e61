// A comparison as the table that Ascend's msaccucmp.py writes: its columns, names and formulas
// (specification of `file_compare` and `compare`, CANN 8), six decimals. Sums are in fp64 here, in
// numpy's float32 there.
#pragma once

#include <string>

#include "verify/comparison.h"

namespace vernier {

/// CSV with a header line; one line per tensor, in the order of the run.
std::string MsaccucmpCsv(const Comparison& comparison);

}  // namespace vernier
