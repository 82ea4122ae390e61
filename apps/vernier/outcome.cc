#include "outcome.h"

#include <algorithm>
#include <new>

#include "core/utf8.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr ExitMeaning kMeanings[] = {
    {kExitPassed, "PASSED", "the work was done and every gate held"},
    {kExitFailed, "FAILED", "a gate failed or results differ"},
    {kExitBadInput, "FAILED", "wrong usage or bad input: a flag, file, checkpoint or image"},
    {kExitInconclusive, "INCONCLUSIVE", "the evidence does not decide"},
    {kExitDevice, "FAILED", "a device or library is missing or failed, or memory or disk ran out"},
    {kExitInternal, "FAILED", "a fault of vernier itself"},
    {kExitInterrupted, "INTERRUPTED",
     "stopped by a signal or a closed pipe; finished items are kept"},
};

constexpr size_t kLongestEcho = 400;
constexpr size_t kLongestReason = 300;

bool IsPlainWord(std::string_view word) {
  constexpr std::string_view kPlain = "_-+=.,:/@%^";
  return !word.empty() && std::ranges::all_of(word, [&](unsigned char c) {
    return std::isalnum(c) != 0 || kPlain.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool NeedsEscapes(std::string_view word) {
  for (size_t at = 0; at < word.size();) {
    const size_t length = Utf8Length(word.substr(at));
    const unsigned char byte = static_cast<unsigned char>(word[at]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) return true;
    at += length;
  }
  return false;
}

std::string Quoted(std::string_view word) {
  if (IsPlainWord(word)) return std::string(word);
  const bool escapes = NeedsEscapes(word);
  std::string quoted = escapes ? "$'" : "'";
  for (char c : escapes ? Printable(word, kLongestEcho) : std::string(word)) {
    quoted += c == '\'' ? (escapes ? "\\'" : "'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string OneLine(std::string_view text) {
  std::string line = Printable(text, kLongestReason);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

void Explain(Terminal& terminal, std::string_view what, std::string_view hint) {
  terminal.Note(fmt::format("error: {}", Printable(what)), Tone::kBad);
  if (!hint.empty()) terminal.Note(fmt::format("hint: {}", Printable(hint)));
}

}  // namespace

std::span<const ExitMeaning> ExitMeanings() { return kMeanings; }

std::string ShellQuoted(std::span<const std::string> words) {
  std::string line;
  for (const std::string& word : words) {
    if (line.size() > kLongestEcho) return line + " …";
    if (!line.empty()) line += ' ';
    const bool cut = word.size() > kLongestEcho;
    line += cut ? Quoted(std::string_view(word).substr(0, kLongestEcho)) + "…" : Quoted(word);
  }
  return line;
}

std::string OutcomeLine(const Outcome& outcome, double seconds,
                        std::span<const std::string> command_line) {
  const auto meaning = std::ranges::find(kMeanings, outcome.exit_code, &ExitMeaning::code);
  const std::string_view word = meaning == std::end(kMeanings) ? "FAILED" : meaning->word;
  const std::string reason = outcome.reason.empty() ? "" : OneLine(outcome.reason) + " | ";
  return fmt::format("{} | {:.2f} s | {}{}", word, seconds, reason, ShellQuoted(command_line));
}

Outcome OutcomeOfException(Terminal& terminal) {
  try {
    throw;
  } catch (const Error& error) {
    Explain(terminal, error.message(), error.hint());
    return {.exit_code = ExitCode(error.kind()), .reason = error.message()};
  } catch (const std::bad_alloc&) {
    const std::string what = "memory ran out";
    Explain(terminal, what, "try a smaller --batch or --size; vernier doctor shows the limits");
    return {.exit_code = kExitDevice, .reason = what};
  } catch (const std::exception& error) {
    Explain(terminal, fmt::format("unexpected: {}", error.what()),
            "this is a fault of vernier itself; please report it with the command line");
    return {.exit_code = kExitInternal, .reason = error.what()};
  }
}

}  // namespace vernier
