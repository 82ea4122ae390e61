// How a command ended: its exit code and the one line on standard error that says so last.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "terminal.h"

namespace vernier {

inline constexpr int kExitPassed = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadInput = 2;
inline constexpr int kExitInconclusive = 3;
inline constexpr int kExitDevice = 4;
inline constexpr int kExitInternal = 5;
inline constexpr int kExitInterrupted = 130;

struct ExitMeaning {
  int code;
  std::string_view word;     // what the outcome line begins with
  std::string_view meaning;  // for help and the man page
};
std::span<const ExitMeaning> ExitMeanings();

struct Outcome {
  int exit_code = kExitPassed;
  std::string reason = {};  // for anything but a pass: what failed, in one line
  bool silent = false;      // help and version texts: nothing passed or failed
};

/// "PASSED | 1.23 s | vernier run …" or "FAILED | 0.01 s | reason | vernier run …".
std::string OutcomeLine(const Outcome& outcome, double seconds,
                        std::span<const std::string> command_line);

/// `words` as one could paste them into a shell, cut after about 400 bytes.
std::string ShellQuoted(std::span<const std::string> words);

/// The exception in flight as an outcome; what there is to say goes to `terminal`.
Outcome OutcomeOfException(Terminal& terminal);

}  // namespace vernier
