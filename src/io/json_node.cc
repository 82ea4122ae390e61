#include "io/json_node.h"

#include <algorithm>
#include <functional>

namespace vernier {
namespace {

constexpr size_t kLinearMembers = 16;

size_t HashOf(std::string_view key) { return std::hash<std::string_view>{}(key); }

}  // namespace

std::string Json::Place::Join(std::string_view key) const {
  std::vector<std::string_view> parts = {key};
  const Place* place = this;
  for (; place->parent != nullptr; place = place->parent.get()) parts.push_back(place->name);
  std::string text = place->name + ": ";
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part != parts.rbegin() && !part->starts_with('[')) text += '.';
    text += *part;
  }
  return text;
}

size_t Json::Container::IndexOf(std::string_view key) const {
  if (slots_.empty()) {
    const auto found = std::ranges::find(members, key, &JsonMember::key);
    return found == members.end() ? kAbsent : static_cast<size_t>(found - members.begin());
  }
  const size_t mask = slots_.size() - 1;
  for (size_t slot = HashOf(key) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (members[slots_[slot] - 1].key == key) return slots_[slot] - 1;
  }
  return kAbsent;
}

Json& Json::Container::Add(std::string key) {
  members.push_back({std::move(key), Json()});
  if (members.size() > kLinearMembers) Rehash();
  return members.back().value;
}

void Json::Container::Rehash() {
  const size_t first = members.size() * 2 > slots_.size() ? 0 : members.size() - 1;
  if (first == 0) slots_.assign(std::max(4 * kLinearMembers, slots_.size() * 2), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = first; i < members.size(); ++i) {
    size_t slot = HashOf(members[i].key) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

}  // namespace vernier
