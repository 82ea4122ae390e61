// How one row's scores become one token: the best, or a draw; and what its probability was.
#pragma once

#include <cstdint>
#include <span>

#include "generation/options.h"

namespace vernier {

/// Index of the greatest score; the lowest index wins a tie. NaN is never chosen; with nothing but
/// NaN and minus infinity the answer is 0.
int32_t BestToken(std::span<const float> scores);

/// Logarithm of the sum of exponentials, in fp64.
double LogSumExp(std::span<const float> scores);

/// A token drawn after temperature, top_k and top_p, which change `scores`. `draw` numbers the
/// draws of one sequence and `sequence` the sequences of one seed: equal numbers give equal tokens,
/// whatever else is generated beside them.
int32_t DrawToken(const GenerationOptions& options, uint64_t sequence, uint64_t draw,
                  std::span<float> scores);

}  // namespace vernier
