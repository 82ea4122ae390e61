#include "eval/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "core/suggest.h"
#include "core/unicode.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using Names = std::map<std::string, size_t>;  // lower case → position

Names NamesOf(const std::vector<std::string>& labels) {
  Names names;
  for (size_t i = 0; i < labels.size(); ++i) names.emplace(LowerCase(labels[i]), i);
  // Whole labels first: one label's second name may be another's first.
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string lower = LowerCase(labels[i]);
    for (size_t at = 0; at < lower.size();) {
      const size_t end = std::min(lower.find(", ", at), lower.size());
      names.emplace(lower.substr(at, end - at), i);
      at = end + 2;
    }
  }
  return names;
}

std::optional<size_t> ByName(const Names& names, const std::string& label) {
  const auto found = names.find(LowerCase(label));
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

std::optional<size_t> ByNumber(const std::string& label, size_t count) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  const bool whole = error == std::errc() && end == label.data() + label.size();
  return whole && number < count ? std::optional(number) : std::nullopt;
}

[[noreturn]] void RefuseLabel(const Sample& sample, const std::vector<std::string>& labels) {
  const std::vector<std::string_view> known(labels.begin(), labels.end());
  const std::string_view near = Nearest(sample.expected[0], known);
  throw Error(ErrorKind::kInput,
              fmt::format("{}: the label '{}' is none of the model's {}", sample.place,
                          sample.expected[0], labels.size()),
              near.empty() ? fmt::format("they are named like '{}', or numbered 0 to {}", labels[0],
                                         labels.size() - 1)
                           : fmt::format("did you mean '{}'?", near));
}

}  // namespace

void UseModelLabels(Dataset& set, const std::vector<std::string>& labels) {
  if (labels.empty()) {
    throw Error(ErrorKind::kInput, "the model has no labels to compare with",
                "use --task retrieve, which needs embeddings only");
  }
  const Names names = NamesOf(labels);
  const bool named = std::ranges::any_of(set.samples, [&](const Sample& sample) {
    return ByName(names, sample.expected[0]).has_value();
  });
  for (Sample& sample : set.samples) {
    const std::string& label = sample.expected[0];
    const auto index = named ? ByName(names, label) : ByNumber(label, labels.size());
    if (!index) RefuseLabel(sample, labels);
    sample.expected = {labels[*index]};
  }
}

}  // namespace vernier
