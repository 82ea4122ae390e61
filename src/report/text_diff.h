// Where two texts differ, word by word: the longest common subsequence of words and blanks stays,
// the rest is marked. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vernier {

enum class DiffKind { kSame, kOnlyReference, kOnlyCandidate };

struct DiffPart {
  DiffKind kind = DiffKind::kSame;
  std::string text;
};

/// Neighbouring parts are of different kinds; the parts without kOnlyCandidate make up `reference`,
/// those without kOnlyReference `candidate`. Texts of more than 2000 words differ as a whole.
std::vector<DiffPart> DiffWords(std::string_view reference, std::string_view candidate);

}  // namespace vernier
