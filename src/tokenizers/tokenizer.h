// Text to token ids and back, as the checkpoint's own tokenizer defines it. What is supported, and
// what it is identical to, is in docs/reference/tokenizers.md.
// A Tokenizer is immutable: const members may be called from any thread. A StreamDecoder belongs to
// one sequence and keeps views into its Tokenizer, which has to outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

struct EncodeOptions {
  /// Ids that the file's template puts around a text, such as </s> at its end.
  bool add_special_tokens = true;
  /// Typed text that spells a special token becomes that token. Switch off for untrusted text: it
  /// is then split like other text, into pieces that are not special.
  bool parse_special_tokens = true;
};

struct DecodeOptions {
  bool skip_special_tokens = true;
};

/// A token that the file adds beside the model's own pieces, such as <|image|>.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;  // not inside a longer word
  bool lstrip = false;       // swallows white space on its left
  bool rstrip = false;       // swallows white space on its right
  bool normalized = false;   // looked for in the normalised text, not in the text as typed
  bool special = false;      // left out of the text by skip_special_tokens
};

/// Text of a sequence as its ids come. All that is returned together equals Tokenizer::Decode; what
/// later ids could still change is held back, so half a character is never returned.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  /// Text that has become final with this id; often empty. Ids outside of the vocabulary are
  /// ignored: a model's head may be wider than its vocabulary.
  virtual std::string Push(int32_t id) = 0;
  /// The rest. Nothing may follow.
  virtual std::string Finish() = 0;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Throws Error{kInput} when `text` is not valid UTF-8.
  virtual std::vector<int32_t> Encode(std::string_view text,
                                      const EncodeOptions& options = {}) const = 0;
  virtual std::unique_ptr<StreamDecoder> Stream(const DecodeOptions& options = {}) const = 0;
  std::string Decode(std::span<const int32_t> ids, const DecodeOptions& options = {}) const;

  /// One more than the highest id.
  virtual int32_t vocab_size() const = 0;
  virtual std::optional<int32_t> IdOf(std::string_view piece) const = 0;
  /// Nothing for an id that is not in use.
  virtual std::optional<std::string_view> PieceOf(int32_t id) const = 0;
  /// By id.
  virtual std::span<const AddedToken> added_tokens() const = 0;
};

/// The tokenizer of a checkpoint folder: tokenizer.json, else spiece.model, else tokenizer.model.
/// Throws Error{kInput} that names what was looked for, or what is wrong in the file.
std::unique_ptr<Tokenizer> LoadTokenizer(const std::string& folder);

}  // namespace vernier
