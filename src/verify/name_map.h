// A user's rule for names: 'A=B' says that the reference's tensor A is the candidate's B. Each * in
// A stands for any text and fills the * at the same place in B.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vernier {

class NameMap {
 public:
  /// Throws Error{kUsage} when the text is no rule.
  static NameMap Parse(std::string_view text);

  /// The candidate's name for the reference's, when the rule speaks of it.
  std::optional<std::string> Apply(std::string_view reference) const;

  /// As the user wrote it.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string from_;
  std::string to_;
};

}  // namespace vernier
