// What happens to a text before it is cut into pieces: a list of steps, each from text to text.
// Immutable; const members may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tokenizers/characters.h"
#include "tokenizers/charsmap.h"

namespace vernier {

/// `text` with `content` for each occurrence of `pattern`, which is not empty.
std::string ReplaceAll(std::string_view text, std::string_view pattern, std::string_view content);

/// Occurrences of a pattern become `content`. The pattern is a text, or, where at_least > 0, one
/// character repeated at least so often (as many as there are).
struct ReplaceStep {
  std::string pattern;  // not empty
  std::string content;
  size_t at_least = 0;

  std::string Apply(std::string_view text) const;
};

struct StripStep {
  bool left, right;
};
struct PrependStep {
  std::string prefix;  // not before an empty text
};
struct LowercaseStep {};
struct StripAccentsStep {};

using NormalizerStep = std::variant<Charsmap, UnicodeForm, ReplaceStep, StripStep, PrependStep,
                                    LowercaseStep, StripAccentsStep>;

struct NormalizedText {
  std::string text;
  bool at_start;  // still begins where the text given began, not stripped on its left
};

class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {}

  NormalizedText Apply(std::string_view text) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace vernier
