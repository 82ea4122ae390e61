// Edit distances between texts: normalised (document quality), ANLS (DocVQA), and the error rates
// of speech and page recognition. Distances count code points as they are, without normalisation.
// Pure functions; time is the product of the lengths.
#pragma once

#include <cstdint>
#include <string_view>

namespace vernier {

/// Least insertions, deletions and replacements that turn one into the other, and how many units
/// the reference has. Those of several texts add up to a corpus.
struct EditCounts {
  int64_t edits = 0;
  int64_t reference_length = 0;
};

EditCounts CharacterEdits(std::string_view reference, std::string_view candidate);
/// Words are what Unicode's white space separates.
EditCounts WordEdits(std::string_view reference, std::string_view candidate);

/// Edits per unit of the reference; 0 without edits and, where the reference is empty, the edits.
double ErrorRate(const EditCounts& counts);

/// Levenshtein distance by the longer length, 0 (equal) to 1; two empty texts are equal.
double NormalizedEditDistance(std::string_view reference, std::string_view candidate);

/// Average normalised Levenshtein similarity of DocVQA, case ignored: 1 minus the normalised
/// distance where that is below 0.5, else 0. Two empty texts score 1.
double Anls(std::string_view reference, std::string_view candidate);

}  // namespace vernier
