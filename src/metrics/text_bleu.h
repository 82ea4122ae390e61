// BLEU (Papineni et al., 2002) as sacrebleu computes it by default: tokens of mteval-v13a, orders 1
// to 4, smoothing "exp", case kept, 0 to 100. Counts of sentences add up to those of a corpus.
// Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

inline constexpr int kBleuOrders = 4;

struct BleuCounts {
  std::array<int64_t, kBleuOrders> matches{};  // runs of 1 to 4 tokens in common, clipped
  std::array<int64_t, kBleuOrders> totals{};   // runs of the candidate
  int64_t candidate_length = 0;
  int64_t reference_length = 0;

  BleuCounts& operator+=(const BleuCounts& other);
};

/// mteval-v13a's tokens of a text.
std::vector<std::string> BleuTokens(std::string_view text);

/// Several references: a run counts as often as in the one that has most of it, and the length is
/// that of the reference closest in length, the shorter of two. Throws Error{kInternal} for none.
BleuCounts CountBleu(std::span<const std::string> references, std::string_view candidate);

/// Of a corpus: always four orders.
double CorpusBleu(const BleuCounts& counts);

/// Of one sentence: only orders that the candidate is long enough for ("effective order").
double SentenceBleu(const BleuCounts& counts);

}  // namespace vernier
