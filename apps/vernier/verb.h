// A verb of the command: its texts, its flag table and what it does.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "flags.h"
#include "outcome.h"
#include "terminal.h"

namespace vernier {

struct Example {
  std::string_view command;
  std::string_view meaning;
};

/// One use of a verb: flags that fill its options, and the work that reads them. The options live
/// as long as `run`, so flags must not outlive their Invocation.
struct Invocation {
  std::vector<Flag> flags;
  std::function<Outcome(Terminal&)> run;
};

struct Verb {
  std::string_view name;
  std::string_view summary;      // one line, no full stop
  std::string_view description;  // a paragraph or two
  std::vector<Example> examples;
  std::function<Invocation()> start;
};

/// Joins a verb's option struct, its flag table and its work.
template <typename Options>
std::function<Invocation()> Starter(std::vector<Flag> (*flags)(Options&),
                                    Outcome (*run)(const Options&, Terminal&)) {
  return [flags, run] {
    auto options = std::make_shared<Options>();
    return Invocation{flags(*options),
                      [options, run](Terminal& terminal) { return run(*options, terminal); }};
  };
}

/// All verbs, in the order of help.
const std::vector<Verb>& Verbs();

/// The verb of that name; null when there is none.
const Verb* FindVerb(std::string_view name);

}  // namespace vernier
