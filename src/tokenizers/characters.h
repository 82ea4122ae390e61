// Characters of valid UTF-8, and what tokenizers ask about them, with the answers of the Rust
// library that published ones are made with (core/unicode.h has those of Python). By ICU.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vernier {

/// Bytes of the character that begins with `lead`, in valid UTF-8.
inline size_t CharacterLength(char lead) {
  const uint8_t byte = static_cast<uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
/// Where the character that ends before `end` (> 0) begins.
inline size_t PreviousCharacter(std::string_view text, size_t end) {
  do --end;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80);
  return end;
}
/// The first character of `text`, which is not empty.
char32_t CodePoint(std::string_view text);
void AppendUtf8(char32_t code_point, std::string& text);

/// Position of the first byte that is not valid UTF-8, or npos.
size_t FirstInvalidByte(std::string_view text);

/// Unicode's White_Space, what regular expressions call \s.
bool IsWhiteSpace(char32_t code_point);
/// What regular expressions call \w.
bool IsWordCharacter(char32_t code_point);
/// General category M, in the version of Unicode that Normalize goes by.
bool IsMark(char32_t code_point);
/// Bytes of the first grapheme cluster of `text`, which is not empty.
size_t GraphemeLength(std::string_view text);

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };
std::string Normalize(std::string_view text, UnicodeForm form);
/// Character by character, without the context of the word.
std::string Lowercase(std::string_view text);

/// "<0x0A>": how byte-fallback vocabularies spell a byte.
std::string BytePiece(uint8_t byte);
/// The byte that `piece` spells, or -1.
int ByteOfPiece(std::string_view piece);

}  // namespace vernier
