// Pieces and their ids. Ids need not be dense, but each piece and each id occurs once.
// Immutable once filled; const members may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vernier {

class Vocabulary {
 public:
  enum class Outcome { kAdded, kPieceExists, kIdExists };
  /// `id` is neither negative nor beyond kMaxId.
  Outcome Add(std::string piece, int32_t id);

  static constexpr int32_t kMaxId = (1 << 24) - 1;

  std::optional<int32_t> IdOf(std::string_view piece) const;
  std::optional<std::string_view> PieceOf(int32_t id) const;
  /// One more than the highest id.
  int32_t id_bound() const { return static_cast<int32_t>(pieces_.size()); }
  size_t size() const { return ids_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
  std::vector<const std::string*> pieces_;  // keys of ids_, which never move; nullptr: not in use
};

}  // namespace vernier
