// A verb's flags as one table. Parsing, help, the man page, shell completions and --print-config
// all read it, so that none of them can say something else.
// A flag's target is filled in place; the value that stands there before parsing is its default.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vernier {

using FlagTarget = std::variant<bool*, int64_t*, double*, std::string*, std::vector<std::string>*>;

/// What a shell offers for a value that is not one of a fixed list.
enum class Completion { kNothing, kFile, kFolder };

struct Flag {
  std::string_view name;     // "--model"; without dashes ("PATH") it is a positional argument
  std::string_view metavar;  // what stands for the value in help; empty for a switch
  std::string_view section;  // heading in help
  std::string_view help;     // one sentence, without its default
  FlagTarget target;
  std::string_view unit = {};
  std::string_view default_text = {};  // for defaults that need words: "all available"
  std::vector<std::string_view> choices = {};
  int64_t least = std::numeric_limits<int64_t>::min();  // for whole numbers
  int64_t most = std::numeric_limits<int64_t>::max();
  Completion completion = Completion::kNothing;
  bool required = false;
  bool stands_alone = false;  // given, it makes nothing else required
  bool writes = false;        // names a file or folder that the verb makes; "-" is none

  bool IsPositional() const { return !name.starts_with("-"); }
  bool IsSwitch() const { return std::holds_alternative<bool*>(target); }
  bool IsList() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

enum class Source { kDefault, kEnvironment, kFlag };

/// "default", "environment", "flag".
const char* Name(Source source);

struct ParsedFlags {
  std::vector<Source> sources;  // one per flag of the table
  bool help = false;            // --help or -h was given; nothing is required then
  bool print_config = false;
};

/// "--dump-filter" → "VERNIER_DUMP_FILTER"; empty for positional arguments.
std::string EnvironmentName(const Flag& flag);

/// The target's present value as text; lists are joined by spaces.
std::string ValueText(const Flag& flag);

using Environment = std::function<const char*(const char* name)>;

/// Fills the targets from `args`, then from the environment where a flag was not given.
/// Throws Error{kUsage} that names the flag, what was expected and the nearest known name, and
/// where two flags would write the same file.
ParsedFlags ParseFlags(std::span<const Flag> flags, std::span<const std::string> args,
                       const Environment& environment);

}  // namespace vernier
