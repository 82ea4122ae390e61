#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "core/utf8.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::string_view kResetTone = "\x1b[0m";
constexpr auto kRedrawEvery = std::chrono::milliseconds(100);

std::string_view Code(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kBad:
      return "\x1b[31m";
    case Tone::kWarning:
      return "\x1b[33m";
    case Tone::kFaint:
      return "\x1b[2m";
  }
  return "";
}

bool WantsColor(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

std::string Bar(int64_t done, int64_t total) {
  constexpr int64_t kCells = 20;
  const int64_t filled = total > 0 ? done * kCells / total : 0;
  std::string bar;
  for (int64_t i = 0; i < kCells; ++i) bar += i < filled ? "█" : "░";
  return bar;
}

std::string TimeLeft(double elapsed_s, int64_t done, int64_t total) {
  if (done <= 0) return "";
  const auto left = static_cast<int64_t>(elapsed_s * static_cast<double>(total - done) /
                                         static_cast<double>(done));
  return fmt::format("  {}:{:02} left", left / 60, left % 60);
}

[[noreturn]] void ReportLostOutput(int error) {
  if (error == EPIPE) {
    throw Error(ErrorKind::kInterrupted, "the reader of standard output has gone away");
  }
  throw Error(ErrorKind::kResource,
              fmt::format("cannot write to standard output: {}", std::strerror(error)));
}

}  // namespace

Terminal::Terminal()
    : color_on_output_(WantsColor(STDOUT_FILENO)),
      color_on_errors_(WantsColor(STDERR_FILENO)),
      output_is_terminal_(isatty(STDOUT_FILENO) != 0),
      progress_enabled_(isatty(STDERR_FILENO) != 0) {}

int Terminal::width() const {
  constexpr int kWidePage = 140;
  winsize size = {};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kWidePage;
}

void Terminal::Write(std::string_view text) {
  ClearProgress();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) ReportLostOutput(errno);
}

void Terminal::Flush() {
  if (std::fflush(stdout) != 0) ReportLostOutput(errno);
}

void Terminal::Warn(std::string_view text) {
  Note(fmt::format("warning: {}", Printable(text)), Tone::kWarning);
}

void Terminal::Note(std::string_view text, Tone tone) {
  ClearProgress();
  const bool colored = color_on_errors_ && tone != Tone::kPlain;
  const std::string line =
      fmt::format("{}{}{}\n", colored ? Code(tone) : "", text, colored ? kResetTone : "");
  // Nobody is left to tell when standard error is gone.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string Terminal::Toned(std::string_view text, Tone tone) const {
  if (!color_on_output_ || tone == Tone::kPlain) return std::string(text);
  return fmt::format("{}{}{}", Code(tone), text, kResetTone);
}

void Terminal::ShowProgress(std::string_view label, int64_t done, int64_t total) {
  if (!progress_enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  if (label != progress_label_) {
    progress_label_ = label;
    progress_start_ = now;
  } else if (now - progress_drawn_ < kRedrawEvery && done < total) {
    return;
  }
  progress_drawn_ = now;
  progress_shown_ = true;
  const double elapsed_s = std::chrono::duration<double>(now - progress_start_).count();
  const std::string line = fmt::format("{}{} {} {:3} %  {}/{}{}", kClearLine, label,
                                       Bar(done, total), total > 0 ? done * 100 / total : 0, done,
                                       total, TimeLeft(elapsed_s, done, total));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Terminal::ClearProgress() {
  if (!progress_shown_) return;
  progress_shown_ = false;
  std::fwrite(kClearLine.data(), 1, kClearLine.size(), stderr);
}

std::string Printable(std::string_view text, size_t limit) {
  std::string printable;
  for (size_t at = 0; at < text.size();) {
    if (printable.size() > limit) return printable + "…";
    const unsigned char byte = static_cast<unsigned char>(text[at]);
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0 || (byte < 0x20 && byte != '\n') || byte == 0x7F) {
      fmt::format_to(std::back_inserter(printable), "\\x{:02x}", byte);
      ++at;
      continue;
    }
    printable.append(text.substr(at, length));
    at += length;
  }
  return printable;
}

}  // namespace vernier
