#include "tokenizers/charsmap.h"

#include <fmt/format.h>

#include <cstring>

#include "tokenizers/characters.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// A unit of the darts-clone double array.
struct Unit {
  uint32_t bits;
  bool has_leaf() const { return bits >> 8 & 1; }
  uint32_t value() const { return bits & 0x7FFFFFFF; }
  uint32_t label() const { return bits & 0x800000FF; }
  uint32_t offset() const { return bits >> 10 << ((bits & 1u << 9) >> 6); }
};

// Longer graphemes are replaced character by character.
constexpr size_t kLongestGrapheme = 5;

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

bool IsAscii(char c) { return static_cast<uint8_t>(c) < 0x80; }

}  // namespace

Charsmap::Charsmap(std::string_view blob, const std::string& source) {
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorKind::kInput, source + ": the character map " + what,
                 "the file is damaged; copy it again from where it was published");
  };
  if (blob.size() < 4) {
    throw refuse(fmt::format("is {} bytes long, too short for its own length", blob.size()));
  }
  const size_t array_bytes = LittleEndian(blob);
  if (array_bytes == 0 || array_bytes % 4 != 0 || array_bytes > blob.size() - 4) {
    throw refuse(fmt::format("says that its array takes {} bytes, of {} that follow", array_bytes,
                             blob.size() - 4));
  }
  units_.reserve(array_bytes / 4);
  for (size_t i = 0; i < array_bytes; i += 4) units_.push_back(LittleEndian(blob.substr(4 + i)));
  replacements_ = blob.substr(4 + array_bytes);
  if (const size_t bad = FirstInvalidByte(replacements_); bad != std::string::npos) {
    throw refuse(fmt::format("has a replacement that is not UTF-8, at byte {}", bad));
  }
  // Entries are checked here, once; Find then only has to stay inside of the array.
  for (size_t i = 0; i < units_.size(); ++i) {
    const Unit unit{units_[i]};
    if (unit.label() > 0xFF || !unit.has_leaf()) continue;
    const size_t leaf = i ^ unit.offset();
    if (leaf >= units_.size()) {
      throw refuse(fmt::format("has an entry (unit {}) that points to unit {} of {}", i, leaf,
                               units_.size()));
    }
    const size_t begin = Unit{units_[leaf]}.value();
    if (begin >= replacements_.size() ||
        (static_cast<uint8_t>(replacements_[begin]) & 0xC0) == 0x80) {
      throw refuse(
          fmt::format("has an entry (unit {}) whose replacement begins at byte {} of {}, "
                      "where no character begins",
                      i, begin, replacements_.size()));
    }
  }
  for (size_t c = 0; c < unchanged_.size(); ++c) {
    unchanged_[c] = !Find(std::string(1, static_cast<char>(c)));
  }
}

std::optional<std::string_view> Charsmap::Find(std::string_view text) const {
  size_t position = Unit{units_[0]}.offset();
  for (const char c : text) {
    const uint8_t byte = static_cast<uint8_t>(c);
    position ^= byte;
    if (byte == 0 || position >= units_.size()) return {};
    const Unit unit{units_[position]};
    if (unit.label() != byte) return {};
    position ^= unit.offset();
    if (!unit.has_leaf()) continue;
    return std::string_view(replacements_.c_str() + Unit{units_[position]}.value());
  }
  return {};
}

std::string Charsmap::Apply(std::string_view text) const {
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  for (size_t i = 0; i < text.size();) {
    // An ASCII character before another one is a grapheme of its own, but for "\r\n".
    size_t run = i;
    while (run < text.size() && IsAscii(text[run]) && unchanged_[static_cast<uint8_t>(text[run])] &&
           text[run] != '\r') {
      ++run;
    }
    if (run < text.size() && run > i && !IsAscii(text[run])) --run;
    if (run > i) {
      result.append(text.substr(i, run - i));
      i = run;
      continue;
    }
    const size_t length = GraphemeLength(text.substr(i));
    Append(text.substr(i, length), result);
    i += length;
  }
  return result;
}

void Charsmap::Append(std::string_view grapheme, std::string& result) const {
  if (grapheme.size() <= kLongestGrapheme) {
    if (const auto replacement = Find(grapheme)) {
      result += *replacement;
      return;
    }
  }
  for (size_t i = 0, length; i < grapheme.size(); i += length) {
    length = CharacterLength(grapheme[i]);
    const std::string_view character = grapheme.substr(i, length);
    result += Find(character).value_or(character);
  }
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int8_t, 256> digit_of;
  digit_of.fill(-1);
  for (size_t i = 0; i < kDigits.size(); ++i) {
    digit_of[static_cast<uint8_t>(kDigits[i])] = static_cast<int8_t>(i);
  }
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return {};
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = digit_of[static_cast<uint8_t>(c)];
    if (digit < 0) return {};
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) bytes.push_back(static_cast<char>(bits >> (count -= 8) & 0xFF));
  }
  return bytes;
}

}  // namespace vernier
