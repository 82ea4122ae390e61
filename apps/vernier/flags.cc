#include "flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "core/suggest.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kShownValue = 60;  // characters of a wrong value that a message repeats

[[noreturn]] void RefuseValue(const Flag& flag, const std::string& expected,
                              std::string_view found) {
  throw Error(ErrorKind::kUsage, fmt::format("{}: expected {}, found '{}'", flag.name, expected,
                                             found.substr(0, kShownValue)));
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// A number, and larger than any that is kept.
bool IsTooLarge(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc::result_out_of_range && stop == end && text[0] != '-';
}

void SetSwitch(const Flag& flag, bool& target, std::string_view value) {
  if (value == "1" || value == "true" || value == "yes" || value == "on") {
    target = true;
  } else if (value == "0" || value == "false" || value == "no" || value == "off") {
    target = false;
  } else {
    RefuseValue(flag, "true or false", value);
  }
}

void SetInteger(const Flag& flag, int64_t& target, std::string_view value) {
  const auto number = ParseNumber<int64_t>(value);
  if (number && *number >= flag.least && *number <= flag.most) {
    target = *number;
    return;
  }
  std::string expected = "a whole number";
  if (flag.most < std::numeric_limits<int64_t>::max() || IsTooLarge(value)) {
    expected += fmt::format(" from {} to {}", flag.least, flag.most);
  } else if (flag.least > std::numeric_limits<int64_t>::min()) {
    expected += fmt::format(" of at least {}", flag.least);
  }
  RefuseValue(flag, expected, value);
}

void SetReal(const Flag& flag, double& target, std::string_view value) {
  const auto number = ParseNumber<double>(value);
  if (!number) RefuseValue(flag, "a number", value);
  target = *number;
}

void SetText(const Flag& flag, std::string& target, std::string_view value) {
  if (!flag.choices.empty() && std::ranges::count(flag.choices, value) == 0) {
    RefuseValue(flag, fmt::format("one of {}", fmt::join(flag.choices, ", ")), value);
  }
  target = value;
}

void SetValue(const Flag& flag, std::string_view value) {
  if (auto* target = std::get_if<bool*>(&flag.target)) return SetSwitch(flag, **target, value);
  if (auto* target = std::get_if<int64_t*>(&flag.target)) return SetInteger(flag, **target, value);
  if (auto* target = std::get_if<double*>(&flag.target)) return SetReal(flag, **target, value);
  if (auto* target = std::get_if<std::string*>(&flag.target)) return SetText(flag, **target, value);
  std::get<std::vector<std::string>*>(flag.target)->emplace_back(value);
}

bool LooksLikeFlag(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

[[noreturn]] void RefuseUnknown(std::span<const Flag> flags, std::string_view name) {
  std::vector<std::string_view> known = {"--help", "--print-config"};
  for (const Flag& flag : flags) {
    if (!flag.IsPositional()) known.push_back(flag.name);
  }
  const std::string_view near = Nearest(name, known);
  throw Error(ErrorKind::kUsage, fmt::format("unknown flag '{}'", name.substr(0, kShownValue)),
              near.empty() ? "--help lists the flags" : fmt::format("did you mean {}?", near));
}

// Walks over the words of one command line.
class Parser {
 public:
  Parser(std::span<const Flag> flags, std::span<const std::string> args)
      : flags_(flags), args_(args) {
    parsed_.sources.resize(flags.size(), Source::kDefault);
    has_positional_ = std::ranges::any_of(flags, &Flag::IsPositional);
  }

  ParsedFlags Parse() {
    bool flags_ended = false;
    while (at_ < args_.size()) {
      const std::string& word = args_[at_++];
      if (!flags_ended && word == "--") {
        flags_ended = true;
      } else if (!flags_ended && LooksLikeFlag(word)) {
        TakeFlag(word);
      } else {
        TakePositional(word);
      }
    }
    return std::move(parsed_);
  }

 private:
  void TakeFlag(std::string_view word) {
    if (word == "--help" || word == "-h") {
      parsed_.help = true;
      return;
    }
    if (word == "--print-config") {
      parsed_.print_config = true;
      return;
    }
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const size_t index = IndexOf(name);
    const Flag& flag = flags_[index];
    parsed_.sources[index] = Source::kFlag;
    if (equals != std::string_view::npos) {
      SetValue(flag, word.substr(equals + 1));
    } else if (flag.IsSwitch()) {
      SetValue(flag, "true");
    } else {
      TakeValues(flag);
    }
  }

  // A list takes all words up to the next flag, unless the verb has positional arguments,
  // which could then not be told from the list.
  void TakeValues(const Flag& flag) {
    if (at_ == args_.size() || (LooksLikeFlag(args_[at_]) && !IsNegativeNumber(flag))) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("{} needs a value: {} {}", flag.name, flag.name, flag.metavar));
    }
    SetValue(flag, args_[at_++]);
    if (!flag.IsList() || has_positional_) return;
    while (at_ < args_.size() && !LooksLikeFlag(args_[at_])) SetValue(flag, args_[at_++]);
  }

  bool IsNegativeNumber(const Flag& flag) const {
    const bool numeric = std::holds_alternative<int64_t*>(flag.target) ||
                         std::holds_alternative<double*>(flag.target);
    return numeric && ParseNumber<double>(args_[at_]).has_value();
  }

  void TakePositional(const std::string& word) {
    for (size_t i = 0; i < flags_.size(); ++i) {
      const bool open = flags_[i].IsList() || parsed_.sources[i] == Source::kDefault;
      if (!flags_[i].IsPositional() || !open) continue;
      parsed_.sources[i] = Source::kFlag;
      SetValue(flags_[i], word);
      return;
    }
    throw Error(ErrorKind::kUsage,
                fmt::format("unexpected argument '{}'", word.substr(0, kShownValue)),
                ValueHint(word));
  }

  // Pictures are what people give without a flag.
  std::string ValueHint(const std::string& word) const {
    const bool pictures = std::ranges::count(flags_, "--image", &Flag::name) > 0;
    if (!pictures || !std::filesystem::exists(word)) {
      return "values belong to a flag; --help lists the flags";
    }
    return "values belong to a flag; a picture is given with --image, a model with --model";
  }

  size_t IndexOf(std::string_view name) const {
    const auto found = std::ranges::find(flags_, name, &Flag::name);
    if (found == flags_.end()) RefuseUnknown(flags_, name);
    return static_cast<size_t>(found - flags_.begin());
  }

  std::span<const Flag> flags_;
  std::span<const std::string> args_;
  ParsedFlags parsed_;
  size_t at_ = 0;
  bool has_positional_ = false;
};

// Lists in the environment hold one value per line: file names may hold any other separator.
void SetLines(const Flag& flag, std::string_view value) {
  for (size_t begin = 0; begin < value.size();) {
    const size_t end = std::min(value.find('\n', begin), value.size());
    if (end > begin) SetValue(flag, value.substr(begin, end - begin));
    begin = end + 1;
  }
}

bool SetFromEnvironment(const Flag& flag, const Environment& environment) {
  if (flag.IsPositional()) return false;
  const std::string name = EnvironmentName(flag);
  const char* value = environment(name.c_str());
  if (value == nullptr) return false;
  try {
    flag.IsList() ? SetLines(flag, value) : SetValue(flag, value);
  } catch (const Error& error) {
    throw error.WithContext(fmt::format("environment variable {}", name));
  }
  return true;
}

void RequireAll(std::span<const Flag> flags, std::span<const Source> sources) {
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i].stands_alone && sources[i] != Source::kDefault) return;
  }
  for (size_t i = 0; i < flags.size(); ++i) {
    if (!flags[i].required || sources[i] != Source::kDefault) continue;
    const std::string value = flags[i].IsPositional() ? "" : fmt::format(" {}", flags[i].metavar);
    throw Error(ErrorKind::kUsage, fmt::format("{}{} is missing", flags[i].name, value),
                std::string(flags[i].help));
  }
}

// Of two results under one name only the last would be left.
void RefuseSharedFiles(std::span<const Flag> flags) {
  std::map<std::filesystem::path, std::string_view> written;  // the flag that writes each
  for (const Flag& flag : flags) {
    const std::string path = ValueText(flag);
    if (!flag.writes || path.empty() || path == "-") continue;
    const auto [entry, is_new] =
        written.emplace(std::filesystem::absolute(path).lexically_normal(), flag.name);
    if (is_new) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("{} and {} would both write {}", entry->second, flag.name, path),
                "give each a name of its own");
  }
}

}  // namespace

const char* Name(Source source) {
  switch (source) {
    case Source::kDefault:
      return "default";
    case Source::kEnvironment:
      return "environment";
    case Source::kFlag:
      return "flag";
  }
  return "default";
}

std::string EnvironmentName(const Flag& flag) {
  if (flag.IsPositional()) return {};
  std::string name = "VERNIER_";
  for (char c : flag.name.substr(2)) {
    const bool letter = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : letter ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string ValueText(const Flag& flag) {
  if (auto* target = std::get_if<bool*>(&flag.target)) return **target ? "true" : "false";
  if (auto* target = std::get_if<int64_t*>(&flag.target)) return fmt::format("{}", **target);
  if (auto* target = std::get_if<double*>(&flag.target)) return fmt::format("{}", **target);
  if (auto* target = std::get_if<std::string*>(&flag.target)) return **target;
  return fmt::format("{}", fmt::join(*std::get<std::vector<std::string>*>(flag.target), " "));
}

ParsedFlags ParseFlags(std::span<const Flag> flags, std::span<const std::string> args,
                       const Environment& environment) {
  ParsedFlags parsed = Parser(flags, args).Parse();
  if (parsed.help) return parsed;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (parsed.sources[i] == Source::kDefault && SetFromEnvironment(flags[i], environment)) {
      parsed.sources[i] = Source::kEnvironment;
    }
  }
  if (!parsed.print_config) {
    RequireAll(flags, parsed.sources);
    RefuseSharedFiles(flags);
  }
  return parsed;
}

}  // namespace vernier
