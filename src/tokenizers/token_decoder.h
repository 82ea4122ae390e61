// From the pieces of a sequence to its text: a list of steps, each from pieces to pieces, run as
// the pieces come. What a later piece could still change is held back by the step concerned. Steps
// are immutable and may be shared; a TokenDecoder belongs to one sequence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tokenizers/normalizer.h"

namespace vernier {

/// Occurrences of a text, in each piece or, after a FuseStep, in the whole text.
struct ReplaceInPiecesStep {
  std::string pattern;
  std::string content;
};
/// Runs of <0xNN> pieces become the text that the bytes spell, or one U+FFFD per byte when the run
/// as a whole is not valid UTF-8.
struct ByteFallbackStep {};
/// All pieces become one.
struct FuseStep {};
/// Up to `start` times `character` goes from the beginning of each piece, up to `stop` from its
/// end.
struct StripPiecesStep {
  std::string character;
  size_t start = 0;
  size_t stop = 0;
};
/// `replacement` becomes a blank; in the first piece it goes, if the encoder prepends one.
struct MetaspacePiecesStep {
  std::string replacement;
  bool prepended = true;
};
/// Pieces with blanks between them: what stands for a decoder in a file that has none.
struct JoinWithBlanksStep {};

using DecoderStep = std::variant<ReplaceInPiecesStep, ByteFallbackStep, FuseStep, StripPiecesStep,
                                 MetaspacePiecesStep, JoinWithBlanksStep>;

class TokenDecoder {
 public:
  /// `steps` outlives this object.
  explicit TokenDecoder(const std::vector<DecoderStep>& steps);

  /// Text that is final with this piece.
  std::string Push(std::string_view piece);
  std::string Finish();

 private:
  struct Stage {
    const DecoderStep* step;
    bool fused;         // all that comes is one piece
    size_t pieces = 0;  // seen so far
    std::string held;   // came, but is not yet final
    size_t stripped = 0;
  };
  struct Run;

  void Pass(size_t stage, std::string_view piece);
  void Flush(size_t stage);

  std::vector<Stage> stages_;
  std::string text_;
};

}  // namespace vernier
