// Texts that come from the verb table: the overview, one verb's help, its effective settings.
#pragma once

#include <string>

#include "verb.h"

namespace vernier {

std::string OverviewText();
std::string HelpText(const Verb& verb);

/// "usage" line of a verb without the word: "vernier run --model DIR [flags]".
std::string UsageText(const Verb& verb, const std::vector<Flag>& flags);

/// "(default: 20 runs; env: VERNIER_RUNS)"; empty when there is nothing to say.
std::string DefaultText(const Flag& flag);

/// One line per flag: value and where it came from.
std::string ConfigText(const std::vector<Flag>& flags, const ParsedFlags& parsed);

/// `flags` by section, in the table's order.
std::vector<std::vector<const Flag*>> BySection(const std::vector<Flag>& flags);

/// The flags that every verb has besides its own, as (spelling, help).
struct CommonFlag {
  std::string_view spelling;
  std::string_view help;
};
std::span<const CommonFlag> CommonFlags();

}  // namespace vernier
