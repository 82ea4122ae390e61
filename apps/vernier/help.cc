#include "help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "vernier/version.h"

namespace vernier {
namespace {

constexpr size_t kWidth = 96;
constexpr size_t kHelpColumn = 28;

constexpr CommonFlag kCommonFlags[] = {
    {"-h, --help", "Show this help."},
    {"--print-config", "Show every setting with its source (flag, environment, default) and stop."},
};

// Columns that UTF-8 takes on a terminal, of letters that take one each.
size_t Columns(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

// Words of `text` in lines of at most kWidth, continued at `indent`.
std::string Wrapped(std::string_view text, size_t indent) {
  std::string wrapped;
  size_t column = indent;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (column > indent && column + 1 + Columns(word) > kWidth) {
      wrapped += '\n';
      wrapped.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += Columns(word);
    begin = end + 1;
  }
  return wrapped;
}

std::string Row(std::string_view left, std::string_view right) {
  std::string row = fmt::format("  {}", left);
  if (Columns(row) + 2 > kHelpColumn) {
    row += '\n';
    row.append(kHelpColumn, ' ');
  } else {
    row.append(kHelpColumn - Columns(row), ' ');
  }
  return row + Wrapped(right, kHelpColumn) + '\n';
}

std::string Spelling(const Flag& flag) {
  std::string spelling(flag.name);
  if (!flag.metavar.empty() && !flag.IsPositional()) spelling += fmt::format(" {}", flag.metavar);
  if (flag.IsList()) spelling += "…";
  return spelling;
}

std::string FlagHelp(const Flag& flag) {
  std::string help(flag.help);
  if (!flag.choices.empty()) help += fmt::format(" One of {}.", fmt::join(flag.choices, ", "));
  const std::string defaults = DefaultText(flag);
  return defaults.empty() ? help : help + ' ' + defaults;
}

}  // namespace

std::span<const CommonFlag> CommonFlags() { return kCommonFlags; }

std::string DefaultText(const Flag& flag) {
  std::vector<std::string> parts;
  std::string value = flag.default_text.empty() ? ValueText(flag) : std::string(flag.default_text);
  if (!value.empty() && !flag.IsSwitch()) {
    if (!flag.unit.empty() && flag.default_text.empty()) value += fmt::format(" {}", flag.unit);
    parts.push_back(fmt::format("default: {}", value));
  }
  if (!flag.IsPositional()) parts.push_back(fmt::format("env: {}", EnvironmentName(flag)));
  return parts.empty() ? "" : fmt::format("({})", fmt::join(parts, "; "));
}

std::vector<std::vector<const Flag*>> BySection(const std::vector<Flag>& flags) {
  std::vector<std::vector<const Flag*>> sections;
  for (const Flag& flag : flags) {
    const auto known = std::ranges::find_if(
        sections, [&](const auto& section) { return section[0]->section == flag.section; });
    if (known == sections.end()) {
      sections.push_back({&flag});
    } else {
      known->push_back(&flag);
    }
  }
  return sections;
}

std::string UsageText(const Verb& verb, const std::vector<Flag>& flags) {
  std::string usage = fmt::format("vernier {}", verb.name);
  for (const Flag& flag : flags) {
    if (flag.required && !flag.IsPositional()) usage += ' ' + Spelling(flag);
  }
  for (const Flag& flag : flags) {
    if (flag.IsPositional()) {
      usage += flag.required ? ' ' + Spelling(flag) : fmt::format(" [{}]", Spelling(flag));
    }
  }
  return usage + " [flags]";
}

std::string HelpText(const Verb& verb) {
  const Invocation invocation = verb.start();
  const std::vector<Flag>& flags = invocation.flags;
  std::string text = fmt::format("vernier {}: {}\n\n{}\n\nusage: {}\n", verb.name, verb.summary,
                                 Wrapped(verb.description, 0), UsageText(verb, flags));
  for (const auto& section : BySection(flags)) {
    text += fmt::format("\n{}\n", section[0]->section);
    for (const Flag* flag : section) text += Row(Spelling(*flag), FlagHelp(*flag));
  }
  text += "\nAlways\n";
  for (const CommonFlag& flag : kCommonFlags) text += Row(flag.spelling, flag.help);
  text += "\nExamples\n";
  for (const Example& example : verb.examples) {
    text += fmt::format("  {}\n      {}\n", example.command, example.meaning);
  }
  return text;
}

std::string OverviewText() {
  std::string text = fmt::format(
      "vernier {}: runs, proves and measures published vision models\n\nusage: vernier VERB "
      "[flags]\n"
      "\nVerbs\n",
      Version());
  for (const Verb& verb : Verbs()) text += Row(verb.name, verb.summary);
  text += Row("help [VERB]", "this text, or one verb's flags with examples");
  text += "\nFlags\n";
  text += Row("--version", "version of the command and library");
  text += Row("--generate KIND", "man page or shell completion on standard output: man, bash, zsh");
  text += "\nExit codes\n";
  for (const ExitMeaning& exit : ExitMeanings()) {
    text += Row(fmt::format("{}", exit.code), exit.meaning);
  }
  return text;
}

std::string ConfigText(const std::vector<Flag>& flags, const ParsedFlags& parsed) {
  std::string text;
  for (size_t i = 0; i < flags.size(); ++i) {
    const Flag& flag = flags[i];
    const bool described = parsed.sources[i] == Source::kDefault && !flag.default_text.empty();
    const std::string value = described ? std::string(flag.default_text) : ValueText(flag);
    text += fmt::format(
        "{} = {}  ({}{})\n", flag.name, value.empty() ? "none" : value, Name(parsed.sources[i]),
        parsed.sources[i] == Source::kEnvironment ? " " + EnvironmentName(flag) : "");
  }
  return text;
}

}  // namespace vernier
