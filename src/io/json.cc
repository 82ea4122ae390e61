#include "io/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/json_writer.h"
#include "io/json_node.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kShownCharacters = 40;

std::string Describe(const Json& value) {
  switch (value.type()) {
    case Json::Type::kArray:
      return fmt::format("an array of {}", value.size());
    case Json::Type::kObject:
      return "an object";
    case Json::Type::kString:
      if (value.AsString().size() > kShownCharacters) return "a long string";
      [[fallthrough]];
    default:
      return value.Compact();
  }
}

[[noreturn]] void ThrowUnexpected(const char* expected, const Json& found) {
  throw Error(ErrorKind::kInput, fmt::format("expected {}, found {}", expected, Describe(found)));
}

void WriteTo(const Json& value, JsonWriter& writer) {
  switch (value.type()) {
    case Json::Type::kNull:
      writer.Null();
      return;
    case Json::Type::kBool:
      writer.Value(value.AsBool());
      return;
    case Json::Type::kInteger:
      writer.Value(value.AsInt());
      return;
    case Json::Type::kNumber:
      writer.Value(value.AsNumber());
      return;
    case Json::Type::kString:
      writer.Value(value.AsString());
      return;
    case Json::Type::kArray:
      // Shapes and other plain lists read best on one line.
      if (std::ranges::any_of(value.items(), &Json::size)) {
        writer.BeginArray();
      } else {
        writer.BeginArrayOnOneLine();
      }
      for (const Json& item : value.items()) WriteTo(item, writer);
      writer.EndArray();
      return;
    case Json::Type::kObject:
      writer.BeginObject();
      for (const JsonMember& member : value.members()) {
        WriteTo(member.value, writer.Key(member.key));
      }
      writer.EndObject();
      return;
  }
}

}  // namespace

Json::Json(float value) : value_(std::strtod(fmt::format("{}", value).c_str(), nullptr)) {}

Json::Json(const Json& other) {
  if (const auto* node = std::get_if<std::shared_ptr<Container>>(&other.value_)) {
    value_ = std::make_shared<Container>(**node);
  } else {
    std::visit(
        [this](const auto& value) {
          if constexpr (std::copyable<std::decay_t<decltype(value)>>) value_ = value;
        },
        other.value_);
  }
}

Json::Json(Json&& other) noexcept : value_(std::exchange(other.value_, std::monostate())) {}

Json& Json::operator=(Json other) noexcept {
  value_.swap(other.value_);
  return *this;
}

Json::~Json() = default;

Json Json::Array() {
  Json array;
  array.value_ = std::make_shared<Container>(Type::kArray);
  return array;
}

Json Json::Object() {
  Json object;
  object.value_ = std::make_shared<Container>(Type::kObject);
  return object;
}

Json::Type Json::type() const {
  constexpr Type kScalars[] = {Type::kNull, Type::kBool, Type::kInteger, Type::kNumber,
                               Type::kString};
  const auto* node = std::get_if<std::shared_ptr<Container>>(&value_);
  return node != nullptr ? (*node)->type : kScalars[value_.index()];
}

const Json::Container* Json::container(Type type) const {
  const auto* node = std::get_if<std::shared_ptr<Container>>(&value_);
  if (node != nullptr && (*node)->type == type) return node->get();
  ThrowUnexpected(type == Type::kArray ? "an array" : "an object", *this);
}

bool Json::AsBool() const {
  if (const bool* value = std::get_if<bool>(&value_)) return *value;
  ThrowUnexpected("true or false", *this);
}

int64_t Json::AsInt() const {
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return *value;
  ThrowUnexpected("an integer", *this);
}

double Json::AsNumber() const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  ThrowUnexpected("a number", *this);
}

const std::string& Json::AsString() const {
  if (const std::string* value = std::get_if<std::string>(&value_)) return *value;
  ThrowUnexpected("a string", *this);
}

std::span<const Json> Json::items() const { return container(Type::kArray)->items; }

std::span<const JsonMember> Json::members() const { return container(Type::kObject)->members; }

size_t Json::size() const {
  const auto* node = std::get_if<std::shared_ptr<Container>>(&value_);
  return node == nullptr ? 0 : (*node)->items.size() + (*node)->members.size();
}

const Json* Json::Find(std::string_view key) const {
  const Container* node = container(Type::kObject);
  const size_t index = node->IndexOf(key);
  return index == Container::kAbsent ? nullptr : &node->members[index].value;
}

const Json& Json::Get(std::string_view key) const {
  if (const Json* value = Find(key)) return *value;
  throw Error(ErrorKind::kInput, Where(key) + " is missing");
}

// Reads a member and puts its place before the message of a failure.
template <typename Read>
auto Json::Typed(std::string_view key, const Read& read) const {
  const Json& value = Get(key);
  try {
    return read(value);
  } catch (const Error& error) {
    throw error.WithContext(Where(key));
  }
}

template <typename Read>
auto Json::TypedItems(std::string_view key, const Read& read) const {
  return Typed(key, [&](const Json& array) {
    std::vector<std::decay_t<decltype(read(array))>> values;
    for (const Json& item : array.items()) {
      try {
        values.push_back(read(item));
      } catch (const Error& error) {
        throw error.WithContext(fmt::format("item {}", values.size()));
      }
    }
    return values;
  });
}

const Json& Json::GetObject(std::string_view key) const {
  return *Typed(key, [](const Json& value) {
    value.members();
    return &value;
  });
}

const Json& Json::GetArray(std::string_view key) const {
  return *Typed(key, [](const Json& value) {
    value.items();
    return &value;
  });
}

bool Json::GetBool(std::string_view key, std::optional<bool> otherwise) const {
  const Json* value = Find(key);
  if (otherwise && (value == nullptr || value->is_null())) return *otherwise;
  return Typed(key, [](const Json& v) { return v.AsBool(); });
}

int64_t Json::GetInt(std::string_view key, std::optional<int64_t> otherwise) const {
  const Json* value = Find(key);
  if (otherwise && (value == nullptr || value->is_null())) return *otherwise;
  return Typed(key, [](const Json& v) { return v.AsInt(); });
}

double Json::GetNumber(std::string_view key, std::optional<double> otherwise) const {
  const Json* value = Find(key);
  if (otherwise && (value == nullptr || value->is_null())) return *otherwise;
  return Typed(key, [](const Json& v) { return v.AsNumber(); });
}

std::string Json::GetString(std::string_view key, std::optional<std::string> otherwise) const {
  const Json* value = Find(key);
  if (otherwise && (value == nullptr || value->is_null())) return *otherwise;
  return Typed(key, [](const Json& v) { return v.AsString(); });
}

std::vector<int64_t> Json::GetInts(std::string_view key) const {
  return TypedItems(key, [](const Json& v) { return v.AsInt(); });
}

std::vector<double> Json::GetNumbers(std::string_view key) const {
  return TypedItems(key, [](const Json& v) { return v.AsNumber(); });
}

std::vector<std::string> Json::GetStrings(std::string_view key) const {
  return TypedItems(key, [](const Json& v) { return v.AsString(); });
}

std::string Json::Where(std::string_view key) const {
  const Container* node = container(Type::kObject);
  return node->place == nullptr ? std::string(key) : node->place->Join(key);
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) *this = Object();
  container(Type::kObject);
  Container& node = *std::get<std::shared_ptr<Container>>(value_);
  const size_t index = node.IndexOf(key);
  if (index != Container::kAbsent) return node.members[index].value;
  return node.Add(std::string(key));
}

void Json::Append(Json value) {
  if (is_null()) *this = Array();
  container(Type::kArray);
  std::get<std::shared_ptr<Container>>(value_)->items.push_back(std::move(value));
}

std::string Json::Pretty() const {
  JsonWriter writer;
  WriteTo(*this, writer);
  return writer.Take();
}

std::string Json::Compact() const {
  JsonWriter writer(JsonWriter::Layout::kOneLine);
  WriteTo(*this, writer);
  return writer.Take();
}

}  // namespace vernier
