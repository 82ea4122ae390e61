// The wire format of protocol buffers, as far as SentencePiece files need it: fields one after the
// other, every length checked before use. A view: the bytes outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vernier {

class ProtobufReader {
 public:
  struct Field {
    uint32_t number;
    enum class Wire { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 } wire;
    uint64_t value;          // of a varint or a fixed one
    std::string_view bytes;  // of kBytes

    // Throw Error{kInput} when the field is of another wire type.
    uint64_t AsVarint(const std::string& where) const;
    float AsFloat(const std::string& where) const;
    std::string_view AsBytes(const std::string& where) const;
  };

  /// `where` begins the messages.
  ProtobufReader(std::string_view bytes, std::string where)
      : bytes_(bytes), where_(std::move(where)) {}

  /// The next field; nothing at the end. Throws Error{kInput} when the bytes are no message.
  std::optional<Field> Next();

  const std::string& where() const { return where_; }

 private:
  uint64_t Varint();
  uint64_t Fixed(size_t size);

  std::string_view bytes_;
  std::string where_;
};

}  // namespace vernier
