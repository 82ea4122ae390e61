#include "core/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "core/utf8.h"

namespace vernier {

JsonWriter& JsonWriter::BeginObject() { return Open('{', layout_); }
JsonWriter& JsonWriter::EndObject() { return Close('}'); }
JsonWriter& JsonWriter::BeginArray() { return Open('[', layout_); }
JsonWriter& JsonWriter::BeginArrayOnOneLine() { return Open('[', Layout::kOneLine); }
JsonWriter& JsonWriter::EndArray() { return Close(']'); }

JsonWriter& JsonWriter::Key(std::string_view key) {
  VN_CHECK(!levels_.empty() && levels_.back().object && !after_key_, "JSON key outside an object");
  if (!levels_.back().empty) text_ += levels_.back().one_line ? ", " : ",";
  levels_.back().empty = false;
  NewLine();
  AppendString(key);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::Value(std::string_view text) {
  BeforeValue();
  AppendString(text);
  return *this;
}

JsonWriter& JsonWriter::Value(double number) {
  if (!std::isfinite(number)) return Null();
  BeforeValue();
  fmt::format_to(std::back_inserter(text_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::Value(float number) {
  if (!std::isfinite(number)) return Null();
  BeforeValue();
  fmt::format_to(std::back_inserter(text_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::Value(bool value) {
  BeforeValue();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::Null() {
  BeforeValue();
  text_ += "null";
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::Integer(int64_t number) {
  BeforeValue();
  fmt::format_to(std::back_inserter(text_), "{}", number);
  return *this;
}

std::string JsonWriter::Take() {
  VN_CHECK(levels_.empty() && !text_.empty(), "JSON is not complete");
  if (layout_ == Layout::kIndented) text_ += '\n';
  return std::exchange(text_, {});
}

void JsonWriter::BeforeValue() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) {
    VN_CHECK(text_.empty(), "JSON has one value at its top");
    return;
  }
  VN_CHECK(!levels_.back().object, "JSON value without a key");
  if (!levels_.back().empty) text_ += levels_.back().one_line ? ", " : ",";
  levels_.back().empty = false;
  NewLine();
}

void JsonWriter::NewLine() {
  if (levels_.back().one_line) return;
  text_ += '\n';
  text_.append(levels_.size() * 2, ' ');
}

JsonWriter& JsonWriter::Open(char bracket, Layout layout) {
  BeforeValue();
  text_ += bracket;
  levels_.push_back({.object = bracket == '{', .one_line = layout == Layout::kOneLine});
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  VN_CHECK(!levels_.empty() && levels_.back().object == (bracket == '}') && !after_key_,
           "JSON brackets do not match");
  const Level closed = levels_.back();
  levels_.pop_back();
  if (!closed.empty && !closed.one_line) {
    text_ += '\n';
    text_.append(levels_.size() * 2, ' ');
  }
  text_ += bracket;
  return *this;
}

void JsonWriter::AppendString(std::string_view text) {
  text_ += '"';
  for (size_t at = 0; at < text.size();) {
    const unsigned char byte = static_cast<unsigned char>(text[at]);
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) {
      text_ += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (byte == '"' || byte == '\\') {
      text_ += '\\';
      text_ += text[at];
    } else if (byte == '\n') {
      text_ += "\\n";
    } else if (byte == '\t') {
      text_ += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", byte);
    } else {
      text_.append(text.substr(at, length));
    }
    at += length;
  }
  text_ += '"';
}

}  // namespace vernier
