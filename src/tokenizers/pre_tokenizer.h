// Cuts a normalised text into the words that the model sees one by one.
// Immutable; const members may be called from any thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace vernier {

/// Words, one behind the other in a text of their own.
struct Words {
  struct Word {
    size_t begin, end;
    bool at_start;  // begins where the whole text given to the tokenizer began
  };
  std::string text;
  std::vector<Word> words;  // none is empty
};

/// Blanks become `replacement`, which also marks where a word begins.
struct Metaspace {
  enum class Prepend { kAlways, kFirst, kNever };  // kFirst: only at the start of the whole text
  std::string replacement;                         // one character
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};
struct WhitespaceSplit {};

class PreTokenizer {
 public:
  using Step = std::variant<WhitespaceSplit, Metaspace>;

  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  Words Apply(std::string text, bool at_start) const;

 private:
  std::vector<Step> steps_;
};

}  // namespace vernier
