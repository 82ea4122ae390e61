#include "verify/pairing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kNamesShown = 4;
/// Longest product of two lists that are paired by shape: the table of the alignment.
constexpr size_t kMostShapePairs = 25'000'000;

class Matcher {
 public:
  Matcher(const TensorSource& reference, const TensorSource& candidate)
      : reference_(reference),
        candidate_(candidate),
        of_reference_(reference.tensors().size()),
        of_candidate_(candidate.tensors().size()) {
    for (size_t i = 0; i < candidate.tensors().size(); ++i) {
      by_name_.emplace(candidate.tensors()[i].facts.name, i);
    }
    for (size_t i = 0; i < candidate.tensors().size(); ++i) {
      for (const std::string& alias : candidate.tensors()[i].aliases) by_alias_.emplace(alias, i);
    }
    if (!reference.flattens_names() && !candidate.flattens_names()) return;
    for (const auto* names : {&by_name_, &by_alias_}) {
      for (const auto& [name, index] : *names) by_flat_.emplace(FlattenedName(name), index);
    }
  }

  void ByName() {
    for (size_t i = 0; i < of_reference_.size(); ++i) {
      Take(i, Find(by_name_, NameOf(i)), "name");
    }
  }

  void ByAlias() {
    for (size_t i = 0; i < of_reference_.size(); ++i) {
      Take(i, Find(by_alias_, NameOf(i)), "alias");
      for (const std::string& alias : reference_.tensors()[i].aliases) {
        Take(i, Find(by_name_, alias), "alias");
        Take(i, Find(by_alias_, alias), "alias");
      }
    }
  }

  void ByFlattenedName() {
    for (size_t i = 0; i < of_reference_.size() && !by_flat_.empty(); ++i) {
      Take(i, Find(by_flat_, FlattenedName(NameOf(i))), "flattened name");
      for (const std::string& alias : reference_.tensors()[i].aliases) {
        Take(i, Find(by_flat_, FlattenedName(alias)), "flattened name");
      }
    }
  }

  void ByRule(const NameMap& rule) {
    bool speaks = false;
    for (size_t i = 0; i < of_reference_.size(); ++i) {
      std::vector<std::string> names = reference_.tensors()[i].aliases;
      names.insert(names.begin(), NameOf(i));
      for (const std::string& name : names) {
        const std::optional<std::string> target = rule.Apply(name);
        if (!target) continue;
        speaks = true;
        const std::optional<size_t> found = Find(by_name_, *target);
        Take(i, found ? found : Find(by_alias_, *target), "rule " + rule.text());
        if (!of_reference_[i])
          missed_.emplace(i, fmt::format("rule {} asks for '{}', which the "
                                         "candidate lacks or has used",
                                         rule.text(), *target));
      }
    }
    if (!speaks) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("--map '{}': no tensor of the reference has such a name", rule.text()),
          fmt::format("its first names are {}", fmt::join(NamesOf(reference_), ", ")));
    }
  }

  /// Two results that are one array each mean each other, whatever their files are called.
  void TheOnlyOnes() {
    if (of_reference_.size() == 1 && of_candidate_.size() == 1) Take(0, 0, "the only tensors");
  }

  /// The longest alignment of what is left, in order, of equal shapes.
  std::vector<TensorPair> ByShape() const {
    const std::vector<size_t> rows = Left(of_reference_);
    const std::vector<size_t> columns = Left(of_candidate_);
    if (rows.empty() || columns.empty() || rows.size() > kMostShapePairs / columns.size()) {
      return {};
    }
    const size_t width = columns.size() + 1;
    std::vector<uint32_t> longest((rows.size() + 1) * width, 0);
    const auto same = [&](size_t r, size_t c) {
      return reference_.tensors()[rows[r]].facts.shape ==
             candidate_.tensors()[columns[c]].facts.shape;
    };
    for (size_t r = rows.size(); r-- > 0;) {
      for (size_t c = columns.size(); c-- > 0;) {
        longest[r * width + c] =
            same(r, c) ? longest[(r + 1) * width + c + 1] + 1
                       : std::max(longest[(r + 1) * width + c], longest[r * width + c + 1]);
      }
    }
    std::vector<TensorPair> pairs;
    for (size_t r = 0, c = 0; r < rows.size() && c < columns.size();) {
      if (same(r, c)) {
        pairs.push_back({rows[r++], columns[c++], "shape"});
      } else if (longest[(r + 1) * width + c] >= longest[r * width + c + 1]) {
        ++r;
      } else {
        ++c;
      }
    }
    return pairs;
  }

  void Take(size_t i, std::optional<size_t> found, const std::string& how) {
    if (!found || of_reference_[i] || of_candidate_[*found]) return;
    of_reference_[i] = TensorPair{i, *found, how};
    of_candidate_[*found] = of_reference_[i];
  }

  Pairing Finish(const std::vector<TensorPair>& proposed) const {
    Pairing pairing;
    pairing.proposed = proposed;
    for (size_t i = 0; i < of_reference_.size(); ++i) {
      if (of_reference_[i]) {
        pairing.pairs.push_back(*of_reference_[i]);
        continue;
      }
      const auto missed = missed_.find(i);
      const ComparedTensor& facts = reference_.tensors()[i].facts;
      pairing.only_reference.push_back(
          {facts.name, facts.shape,
           missed != missed_.end() ? missed->second : "no tensor of the candidate has this name"});
    }
    for (size_t i = 0; i < of_candidate_.size(); ++i) {
      if (of_candidate_[i]) continue;
      const ComparedTensor& facts = candidate_.tensors()[i].facts;
      pairing.only_candidate.push_back(
          {facts.name, facts.shape, "no tensor of the reference has this name"});
    }
    return pairing;
  }

  static std::vector<std::string> NamesOf(const TensorSource& source) {
    std::vector<std::string> names;
    for (const SourceTensor& tensor : source.tensors()) {
      if (names.size() == kNamesShown) break;
      names.push_back(fmt::format("'{}'", tensor.facts.name));
    }
    return names;
  }

 private:
  using Index = std::map<std::string, size_t, std::less<>>;
  using Slots = std::vector<std::optional<TensorPair>>;

  const std::string& NameOf(size_t i) const { return reference_.tensors()[i].facts.name; }

  static std::optional<size_t> Find(const Index& index, const std::string& name) {
    const auto found = index.find(name);
    return found == index.end() ? std::nullopt : std::optional(found->second);
  }

  static std::vector<size_t> Left(const Slots& slots) {
    std::vector<size_t> left;
    for (size_t i = 0; i < slots.size(); ++i) {
      if (!slots[i]) left.push_back(i);
    }
    return left;
  }

  const TensorSource& reference_;
  const TensorSource& candidate_;
  Index by_name_;
  Index by_alias_;
  Index by_flat_;
  Slots of_reference_;
  Slots of_candidate_;
  std::map<size_t, std::string> missed_;
};

}  // namespace

Pairing PairTensors(const TensorSource& reference, const TensorSource& candidate,
                    const PairingRules& rules) {
  Matcher matcher(reference, candidate);
  matcher.ByName();
  matcher.ByAlias();
  matcher.ByFlattenedName();
  for (const NameMap& rule : rules.maps) matcher.ByRule(rule);
  matcher.TheOnlyOnes();
  std::vector<TensorPair> proposed = matcher.ByShape();
  if (rules.by_shape) {
    for (const TensorPair& pair : proposed) {
      matcher.Take(pair.reference, pair.candidate, pair.paired_by);
    }
    proposed.clear();
  }
  return matcher.Finish(proposed);
}

void CheckAnythingPaired(const Pairing& pairing, const TensorSource& reference,
                         const TensorSource& candidate) {
  if (!pairing.pairs.empty()) return;
  const std::string& left = reference.side().family;
  const std::string& right = candidate.side().family;
  const std::string families =
      !left.empty() && !right.empty() && left != right
          ? fmt::format("the reference is of a {} model, the candidate of a {}; ", left, right)
          : "";
  throw Error(
      ErrorKind::kInput,
      fmt::format("no common names: {}the reference has {}{}, the candidate {}{}", families,
                  fmt::join(Matcher::NamesOf(reference), ", "),
                  reference.tensors().size() > kNamesShown ? ", …" : "",
                  fmt::join(Matcher::NamesOf(candidate), ", "),
                  candidate.tensors().size() > kNamesShown ? ", …" : ""),
      pairing.proposed.empty()
          ? "say with --map 'A=B' which name of the reference is which of the candidate"
          : fmt::format("--map 'A=B' pairs by rule; --pair-by-shape would pair {} by shape and "
                        "order, the first '{}' with '{}'",
                        pairing.proposed.size(),
                        reference.tensors()[pairing.proposed[0].reference].facts.name,
                        candidate.tensors()[pairing.proposed[0].candidate].facts.name));
}

}  // namespace vernier
