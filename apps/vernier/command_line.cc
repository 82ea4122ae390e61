#include "command_line.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "core/suggest.h"
#include "generate.h"
#include "help.h"
#include "verb.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

const Verb& RequireVerb(std::string_view name) {
  if (const Verb* verb = FindVerb(name)) return *verb;
  std::vector<std::string_view> known = {"help", "--version", "--help", "--generate"};
  for (const Verb& verb : Verbs()) known.push_back(verb.name);
  const std::string_view near = Nearest(name, known);
  throw Error(
      ErrorKind::kUsage, fmt::format("unknown verb '{}'", name.substr(0, 60)),
      near.empty() ? "vernier help lists the verbs" : fmt::format("did you mean {}?", near));
}

Outcome Say(Terminal& terminal, const std::string& text) {
  terminal.Write(text);
  return {.silent = true};
}

Outcome RunVerb(const Verb& verb, std::span<const std::string> words, Terminal& terminal) {
  const Invocation invocation = verb.start();
  const ParsedFlags parsed =
      ParseFlags(invocation.flags, words, [](const char* name) { return std::getenv(name); });
  if (parsed.help) return Say(terminal, HelpText(verb));
  if (parsed.print_config) return Say(terminal, ConfigText(invocation.flags, parsed));
  return invocation.run(terminal);
}

Outcome Dispatch(std::span<const std::string> words, Terminal& terminal) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h") {
    return Say(terminal, OverviewText());
  }
  if (words[0] == "help") {
    return Say(terminal, words.size() > 1 ? HelpText(RequireVerb(words[1])) : OverviewText());
  }
  if (words[0] == "--version") return Say(terminal, fmt::format("vernier {}\n", Version()));
  if (words[0].starts_with("--generate")) {
    const bool joined = words[0].starts_with("--generate=");
    if (!joined && words.size() < 2) {
      throw Error(ErrorKind::kUsage, "--generate needs a value: --generate man|bash|zsh");
    }
    return Say(terminal, Generate(joined ? std::string_view(words[0]).substr(11) : words[1]));
  }
  return RunVerb(RequireVerb(words[0]), words.subspan(1), terminal);
}

Tone ToneOf(int exit_code) {
  if (exit_code == kExitPassed) return Tone::kGood;
  return exit_code == kExitInconclusive || exit_code == kExitInterrupted ? Tone::kWarning
                                                                         : Tone::kBad;
}

}  // namespace

int RunCommandLine(std::span<const std::string> words) {
  const auto start = std::chrono::steady_clock::now();
  Terminal terminal;
  std::vector<std::string> command = {"vernier"};
  command.insert(command.end(), words.begin(), words.end());
  terminal.set_command_line(command);
  Outcome outcome;
  try {
    outcome = Dispatch(words, terminal);
    terminal.Flush();
  } catch (...) {
    outcome = OutcomeOfException(terminal);
  }
  if (outcome.silent) return outcome.exit_code;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  terminal.Note(OutcomeLine(outcome, seconds, command), ToneOf(outcome.exit_code));
  return outcome.exit_code;
}

}  // namespace vernier
