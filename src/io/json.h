// JSON values: read from checkpoints and requests, built for results. Objects keep their order.
// Parsing is strict (no duplicate keys, no byte-order mark, valid UTF-8, finite numbers) and
// bounded in depth and count. Getters name the file, the key, what was expected and what was found.
// A value type: copies are deep; const members may be called from any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vernier {

struct JsonMember;

struct JsonLimits {
  int max_depth = 200;
  size_t max_values = 4'000'000;
  size_t max_file_bytes = size_t{256} << 20;
};

class Json {
 public:
  enum class Type { kNull, kBool, kInteger, kNumber, kString, kArray, kObject };

  Json() = default;
  Json(std::nullptr_t) {}
  template <std::same_as<bool> T>
  Json(T value) : value_(value) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Json(T value) : value_(static_cast<int64_t>(value)) {}
  Json(double value) : value_(value) {}
  /// Keeps the shortest decimal that reads back as the same float: 0.1f is written as 0.1.
  Json(float value);
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  static Json Array();
  static Json Object();
  template <typename Range>
  static Json ArrayOf(const Range& values) {
    Json array = Array();
    for (const auto& value : values) array.Append(value);
    return array;
  }

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(Json other) noexcept;
  ~Json();

  /// Throws Error{kInput}; `source` (a file's path) stands first in this value's error messages.
  static Json Parse(std::string_view text, const std::string& source,
                    const JsonLimits& limits = {});
  static Json ParseFile(const std::string& path, const JsonLimits& limits = {});

  Type type() const;
  bool is_null() const { return type() == Type::kNull; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_object() const { return type() == Type::kObject; }

  // The value itself; throws Error{kInput} when it is of another type.
  bool AsBool() const;
  int64_t AsInt() const;
  double AsNumber() const;  // integers too
  const std::string& AsString() const;
  std::span<const Json> items() const;          // of an array
  std::span<const JsonMember> members() const;  // of an object, in file order
  /// Number of items or members, 0 for scalars.
  size_t size() const;

  // Members of an object. Without a default, an absent key is an error; with one, an absent key or
  // a null gives the default. A value of another type is an error either way.
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  /// The member, or nullptr when there is none.
  const Json* Find(std::string_view key) const;
  const Json& Get(std::string_view key) const;
  const Json& GetObject(std::string_view key) const;
  const Json& GetArray(std::string_view key) const;
  bool GetBool(std::string_view key, std::optional<bool> otherwise = {}) const;
  int64_t GetInt(std::string_view key, std::optional<int64_t> otherwise = {}) const;
  double GetNumber(std::string_view key, std::optional<double> otherwise = {}) const;
  std::string GetString(std::string_view key, std::optional<std::string> otherwise = {}) const;
  std::vector<int64_t> GetInts(std::string_view key) const;
  std::vector<double> GetNumbers(std::string_view key) const;
  std::vector<std::string> GetStrings(std::string_view key) const;
  /// "config.json: vision_config.hidden_size": the place of a member, for messages about its value.
  std::string Where(std::string_view key) const;

  /// The member, made (as null) when absent. A null becomes an object first.
  Json& operator[](std::string_view key);
  /// Adds to an array. A null becomes an array first.
  void Append(Json value);

  /// Indented text with a newline at its end. NaN and infinities are written as null.
  std::string Pretty() const;
  /// The same on one line, without the newline.
  std::string Compact() const;

 private:
  struct Place;
  struct Container;
  class Builder;

  const Container* container(Type type) const;
  template <typename Read>
  auto Typed(std::string_view key, const Read& read) const;
  template <typename Read>
  auto TypedItems(std::string_view key, const Read& read) const;

  // Containers are never shared between values; the pointer type allows Container to be incomplete.
  std::variant<std::monostate, bool, int64_t, double, std::string, std::shared_ptr<Container>>
      value_;
};

struct JsonMember {
  std::string key;
  Json value;
};

}  // namespace vernier
