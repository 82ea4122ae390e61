// Standard output for data, standard error for everything said about it.
// Colours and progress only where a person looks on (a terminal; NO_COLOR is honoured).
// Owned by one command; used from its main thread.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vernier {

enum class Tone { kPlain, kGood, kBad, kWarning, kFaint };

class Terminal {
 public:
  /// Looks at the standard streams and the environment of this process.
  Terminal();

  /// The command as it was typed, the program's name first; what results quote.
  const std::vector<std::string>& command_line() const { return command_line_; }
  void set_command_line(std::vector<std::string> words) { command_line_ = std::move(words); }

  /// Columns of standard output; a wide page where it is no terminal.
  int width() const;
  bool color_on_output() const { return color_on_output_; }
  /// Whether a person reads standard output as it comes.
  bool output_is_terminal() const { return output_is_terminal_; }

  /// Data on standard output. Throws Error{kInterrupted} when its reader has gone away and
  /// Error{kResource} when it cannot be written (full disk).
  template <typename... Args>
  void Print(fmt::format_string<Args...> format, Args&&... args) {
    Write(fmt::format(format, std::forward<Args>(args)...));
  }
  void Write(std::string_view text);
  /// Hands over what was written; after each result, so that results appear as they come.
  void Flush();

  /// "warning: …" on standard error.
  void Warn(std::string_view text);
  /// A line on standard error.
  void Note(std::string_view text, Tone tone = Tone::kPlain);

  /// `text` coloured for standard output, or as it is.
  std::string Toned(std::string_view text, Tone tone) const;

  /// One line that overwrites itself on standard error, at most ten times a second; nothing where
  /// standard error is no terminal. `done` of `total` decides bar, percentage and time left.
  void ShowProgress(std::string_view label, int64_t done, int64_t total);
  void ClearProgress();

 private:
  std::vector<std::string> command_line_;
  bool color_on_output_ = false;
  bool color_on_errors_ = false;
  bool output_is_terminal_ = false;
  bool progress_enabled_ = false;
  bool progress_shown_ = false;
  std::string progress_label_;
  std::chrono::steady_clock::time_point progress_start_;
  std::chrono::steady_clock::time_point progress_drawn_;
};

/// Text from outside (file names, messages) made safe for one line: control characters and bytes
/// that are not UTF-8 as \xHH, and cut after `limit` bytes.
std::string Printable(std::string_view text, size_t limit = 2000);

}  // namespace vernier
