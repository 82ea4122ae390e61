// A ladder of settings, timed in turns: what each rung gains over the first, and over the rung that
// it changes. Pure functions on measurements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/measurement.h"
#include "bench/speed_ratio.h"
#include "core/json_writer.h"

namespace vernier {

struct Rung {
  std::string name;
  std::string setting;        // "KEY=VALUE,…", as with --b
  size_t over = 0;            // the rung that it changes
  double published_gain = 0;  // of a ladder that somebody published; 0: not of one
};

/// The ladder that a port of BlendMask-Lite was published with: group norms and nothing fused,
/// batch norms folded, half precision, both, an allocator's settings, pyramid levels in parallel.
/// The model that is measured has group norms; `batch_norm_model` is trained apart.
std::vector<Rung> PublishedLadder(const std::string& batch_norm_model);

/// "NAME:SETTING". Throws Error{kUsage} for anything else.
Rung ParseRung(const std::string& text, size_t over);

struct RungResult {
  Rung rung;
  size_t run = 0;                   // its measurement among the command's
  std::optional<SpeedRatio> first;  // its time over the first rung's; absent where either failed
  std::optional<SpeedRatio> over;   // over that of the rung that it changes
};

struct Ladder {
  int64_t batch = 1;
  std::vector<RungResult> rungs;
};

/// `runs` are the rungs' measurements, the first of them number `first_run` of the command.
Ladder JudgeLadder(std::span<const Rung> rungs, std::span<const Measurement> runs,
                   size_t first_run);

/// How many times as fast: 1 / ratio.
double GainOf(const SpeedRatio& ratio);
Interval GainIntervalOf(const SpeedRatio& ratio);

void WriteJson(const Ladder& ladder, JsonWriter& json);

}  // namespace vernier
