// SentencePiece's precompiled character map: a darts double array from strings to positions in a
// table of replacements. Read with suspicion: no offset leads outside of the map.
// Immutable; const members may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

class Charsmap {
 public:
  /// `blob` as SentencePiece stores it: bytes of the array, the array, then texts that end with a
  /// zero byte. Throws Error{kInput} that begins with `source`.
  Charsmap(std::string_view blob, const std::string& source);

  /// Replaces grapheme by grapheme, as the `tokenizers` library does: one of fewer than 6 bytes
  /// whose beginning is in the map becomes that replacement as a whole, else each character does.
  std::string Apply(std::string_view text) const;

 private:
  /// The replacement for the shortest beginning of `text` that is in the map.
  std::optional<std::string_view> Find(std::string_view text) const;
  void Append(std::string_view grapheme, std::string& result) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  std::array<bool, 128> unchanged_;  // ASCII characters that the map leaves as they are
};

/// The bytes of Base64 text (padding at the end allowed); nothing when it is not Base64.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace vernier
