#include "tokenizers/vocabulary.h"

#include <utility>

namespace vernier {

Vocabulary::Outcome Vocabulary::Add(std::string piece, int32_t id) {
  const size_t index = static_cast<size_t>(id);
  if (PieceOf(id)) return Outcome::kIdExists;
  const auto [place, added] = ids_.emplace(std::move(piece), id);
  if (!added) return Outcome::kPieceExists;
  if (index >= pieces_.size()) pieces_.resize(index + 1, nullptr);
  pieces_[index] = &place->first;
  return Outcome::kAdded;
}

std::optional<int32_t> Vocabulary::IdOf(std::string_view piece) const {
  const auto place = ids_.find(piece);
  if (place == ids_.end()) return {};
  return place->second;
}

std::optional<std::string_view> Vocabulary::PieceOf(int32_t id) const {
  if (id < 0 || id >= id_bound() || pieces_[static_cast<size_t>(id)] == nullptr) return {};
  return *pieces_[static_cast<size_t>(id)];
}

}  // namespace vernier
