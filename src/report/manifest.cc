#include "report/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace vernier {
namespace {

constexpr std::array<std::string_view, 5> kDescribed = {"machine", "environment", "reference",
                                                        "candidate", "settings"};

std::string ScalarText(const Json& value) {
  return value.type() == Json::Type::kString ? value.AsString() : value.Compact();
}

// Lists of texts on one line; other lists are results, not facts.
bool IsFact(const Json& value) {
  if (value.is_array()) {
    return value.size() > 0 && std::all_of(value.items().begin(), value.items().end(),
                                           [](auto& v) { return v.type() == Json::Type::kString; });
  }
  return !value.is_object() && !value.is_null() && ScalarText(value) != "";
}

std::string FactText(const Json& value) {
  if (!value.is_array()) return ScalarText(value);
  std::string text;
  for (const Json& item : value.items()) text += (text.empty() ? "" : ", ") + item.AsString();
  return text;
}

void AddFacts(const Json& object, const std::string& prefix, std::vector<std::vector<Cell>>& rows) {
  for (const JsonMember& member : object.members()) {
    if (IsFact(member.value)) rows.push_back({{prefix + member.key}, {FactText(member.value)}});
    const bool nested_facts = !prefix.empty() && member.value.is_object();
    if (nested_facts) AddFacts(member.value, prefix + member.key + ".", rows);
  }
}

}  // namespace

std::vector<std::vector<Cell>> Manifest(const Json& content) {
  std::vector<std::vector<Cell>> rows;
  for (const JsonMember& member : content.members()) {
    const bool list = member.value.is_array();
    if (!list && IsFact(member.value)) rows.push_back({{member.key}, {FactText(member.value)}});
  }
  for (const std::string_view name : kDescribed) {
    const Json* object = content.Find(name);
    if (object != nullptr && object->is_object()) {
      AddFacts(*object, fmt::format("{}.", name), rows);
    }
  }
  return rows;
}

std::string ShellLine(std::span<const std::string> words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  std::string line;
  for (const std::string& word : words) {
    std::string quoted = word;
    for (size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 4) {
      quoted.replace(at, 1, "'\\''");
    }
    const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    line += (line.empty() ? "" : " ") + (plain ? word : fmt::format("'{}'", quoted));
  }
  return line;
}

std::string CommandOf(const Json& content) {
  const Json* command = content.Find("command");
  if (command == nullptr || command->is_null()) return "";
  if (command->type() == Json::Type::kString) return command->AsString();
  std::vector<std::string> words = {"vernier"};
  for (const Json& word : command->items()) words.push_back(word.AsString());
  return ShellLine(words);
}

}  // namespace vernier
