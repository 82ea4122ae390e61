// Writes JSON as a stream of calls, indented by two spaces or on one line, numbers independent of
// the locale.
// A misuse (value without key in an object, unbalanced end) is a fault of ours and throws
// Error{kInternal}. Bytes that are not UTF-8 become U+FFFD; NaN and infinities become null.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vernier {

class JsonWriter {
 public:
  enum class Layout { kIndented, kOneLine };

  explicit JsonWriter(Layout layout = Layout::kIndented) : layout_(layout) {}

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  /// For short arrays, such as shapes.
  JsonWriter& BeginArrayOnOneLine();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view key);

  JsonWriter& Value(std::string_view text);
  JsonWriter& Value(const char* text) { return Value(std::string_view(text)); }
  JsonWriter& Value(const std::string& text) { return Value(std::string_view(text)); }
  JsonWriter& Value(double number);
  JsonWriter& Value(float number);
  JsonWriter& Value(bool value);
  template <typename T>
  requires std::is_integral_v<T> &&(!std::is_same_v<T, bool>)JsonWriter& Value(T number) {
    return Integer(static_cast<int64_t>(number));
  }
  JsonWriter& Null();
  /// A value that is JSON text already.
  JsonWriter& Raw(std::string_view json);
  /// An array on one line, for samples and embeddings.
  template <typename T>
  JsonWriter& Array(std::span<const T> values) {
    BeginArrayOnOneLine();
    for (const T& value : values) Value(value);
    return EndArray();
  }
  template <typename T>
  JsonWriter& Array(const std::vector<T>& values) {
    return Array(std::span<const T>(values));
  }

  template <typename T>
  JsonWriter& Field(std::string_view key, const T& value) {
    return Key(key).Value(value);
  }

  /// The finished text; the indented layout ends with a newline.
  std::string Take();

 private:
  struct Level {
    bool object = false;
    bool empty = true;
    bool one_line = false;
  };
  JsonWriter& Integer(int64_t number);
  void BeforeValue();
  void NewLine();
  JsonWriter& Open(char bracket, Layout layout);
  JsonWriter& Close(char bracket);
  void AppendString(std::string_view text);

  Layout layout_;
  std::string text_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace vernier
