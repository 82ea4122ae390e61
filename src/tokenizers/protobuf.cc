#include "tokenizers/protobuf.h"

#include <fmt/format.h>

#include <bit>

#include "vernier/error.h"

namespace vernier {
namespace {

Error Damaged(const std::string& where, const std::string& what) {
  return Error(ErrorKind::kInput, where + ": " + what,
               "the file is damaged or of another kind; copy it again from where it was published");
}

void Expect(const ProtobufReader::Field& field, ProtobufReader::Field::Wire wire,
            const std::string& where) {
  if (field.wire != wire) {
    throw Damaged(where, fmt::format("field {} has wire type {}, expected {}", field.number,
                                     static_cast<int>(field.wire), static_cast<int>(wire)));
  }
}

}  // namespace

uint64_t ProtobufReader::Field::AsVarint(const std::string& where) const {
  Expect(*this, Wire::kVarint, where);
  return value;
}

float ProtobufReader::Field::AsFloat(const std::string& where) const {
  Expect(*this, Wire::kFixed32, where);
  return std::bit_cast<float>(static_cast<uint32_t>(value));
}

std::string_view ProtobufReader::Field::AsBytes(const std::string& where) const {
  Expect(*this, Wire::kBytes, where);
  return bytes;
}

std::optional<ProtobufReader::Field> ProtobufReader::Next() {
  if (bytes_.empty()) return {};
  const uint64_t tag = Varint();
  Field field{static_cast<uint32_t>(tag >> 3), static_cast<Field::Wire>(tag & 7), 0, {}};
  if (field.number == 0 || tag >> 3 > 0x1FFFFFFF) {
    throw Damaged(where_, fmt::format("there is no field {}", tag >> 3));
  }
  switch (field.wire) {
    case Field::Wire::kVarint:
      field.value = Varint();
      return field;
    case Field::Wire::kFixed64:
      field.value = Fixed(8);
      return field;
    case Field::Wire::kFixed32:
      field.value = Fixed(4);
      return field;
    case Field::Wire::kBytes: {
      const uint64_t length = Varint();
      if (length > bytes_.size()) {
        throw Damaged(where_, fmt::format("field {} is {} bytes long, and {} are left",
                                          field.number, length, bytes_.size()));
      }
      field.bytes = bytes_.substr(0, length);
      bytes_.remove_prefix(length);
      return field;
    }
  }
  throw Damaged(where_, fmt::format("field {} has wire type {}, which does not exist", field.number,
                                    tag & 7));
}

uint64_t ProtobufReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint64_t byte = Fixed(1);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  throw Damaged(where_, "a number has more than ten bytes");
}

uint64_t ProtobufReader::Fixed(size_t size) {
  if (bytes_.size() < size) throw Damaged(where_, "it ends in the middle of a number");
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes_[i]);
  bytes_.remove_prefix(size);
  return value;
}

}  // namespace vernier
