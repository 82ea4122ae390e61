// How vernier bench shows its figures to people, within 80 columns.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bench/bench_result.h"
#include "terminal.h"

namespace vernier {

/// Milliseconds with as many digits as are of use: "0.123", "12.34", "1234.5".
std::string MsText(double ms);

/// What a group of rows has in common, and the heading of its columns.
void PrintGroup(const Measurement& first, Terminal& terminal);
/// One configuration as a row; a failed one with its message.
void PrintRow(const Measurement& measured, Terminal& terminal);
/// What stands below the table: bounds of percentiles, scenarios, and what was not as it should.
void PrintNotes(std::span<const Measurement> runs, Terminal& terminal);
void PrintProfile(const Measurement& measured, Terminal& terminal);
void PrintComparison(const SpeedComparison& comparison, Terminal& terminal);

}  // namespace vernier
