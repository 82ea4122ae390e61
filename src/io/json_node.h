// Storage of JSON arrays and objects; private to json*.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"

namespace vernier {

/// Where a parsed container stands: the source at the root, then keys and indices. Shared upwards,
/// so that long keys are stored once however many values lie below them.
struct Json::Place {
  std::shared_ptr<const Place> parent;
  std::string name;

  std::string Join(std::string_view key) const;
};

struct Json::Container {
  static constexpr size_t kAbsent = static_cast<size_t>(-1);

  explicit Container(Type t) : type(t) {}

  /// Position of a member, or kAbsent.
  size_t IndexOf(std::string_view key) const;
  /// Adds a member that is not there yet, with the value null.
  Json& Add(std::string key);

  Type type;
  std::vector<Json> items;
  std::vector<JsonMember> members;
  std::shared_ptr<const Place> place;  // null in values that were built, not parsed

 private:
  void Rehash();

  // Open addressing over positions + 1 (0: free); empty while a linear search is faster.
  std::vector<uint32_t> slots_;
};

}  // namespace vernier
