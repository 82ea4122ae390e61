#include "bench/lockstep_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>
#include <string_view>
#include <thread>

#include "vernier/error.h"

extern char** environ;

namespace vernier {
namespace {

// OpenMP's threads go on spinning for some milliseconds after their work is done; the other side
// shall not pay for them.
constexpr std::chrono::milliseconds kSettle(30);

constexpr size_t kLongestAnswer = 1000;
constexpr off_t kMostErrors = 16384;

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorKind::kResource, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  return {ends[0], ends[1]};
}

// This process's environment with the pairs over it, for exec.
std::vector<char*> Laid(std::vector<std::string>& over) {
  std::vector<char*> variables;
  for (std::string& pair : over) variables.push_back(pair.data());
  for (char** own = environ; *own != nullptr; ++own) {
    const std::string_view variable = *own;
    const std::string_view name = variable.substr(0, variable.find('='));
    const bool replaced = std::ranges::any_of(over, [&](const std::string& pair) {
      return std::string_view(pair).substr(0, pair.find('=')) == name;
    });
    if (!replaced) variables.push_back(*own);
  }
  variables.push_back(nullptr);
  return variables;
}

// A program that ended must not end this one by a signal when it is written to.
bool WriteByte(int descriptor) {
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  ssize_t written = 0;
  do {
    written = write(descriptor, "\n", 1);
  } while (written < 0 && errno == EINTR);
  sigaction(SIGPIPE, &before, nullptr);
  return written == 1;
}

// Memory as a file: takes all that a program says without anybody who reads along.
int MakeMemoryFile() {
  const int file = memfd_create("errors", MFD_CLOEXEC);
  if (file >= 0) return file;
  throw Error(ErrorKind::kResource,
              fmt::format("cannot keep a program's errors: {}", std::strerror(errno)));
}

ErrorKind KindOfExit(int code) {
  for (const ErrorKind kind : {ErrorKind::kInput, ErrorKind::kInternal, ErrorKind::kInterrupted}) {
    if (ExitCode(kind) == code) return kind;
  }
  return ErrorKind::kDevice;
}

std::string ByHand(const std::vector<std::string>& command) {
  return fmt::format("run it by hand: {}", fmt::join(command, " "));
}

// What `vernier` says on standard error before it ends; of anything else, the last line.
struct LastWords {
  std::string error;
  std::string hint;
  std::string last_line;
};

LastWords Understand(std::string_view text) {
  constexpr std::string_view kError = "error: ", kHint = "hint: ";
  LastWords words;
  std::string* open = nullptr;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty()) words.last_line = line;
    if (line.starts_with(kError)) {
      words.error = line.substr(kError.size());
      words.hint.clear();
      open = &words.error;
    } else if (line.starts_with(kHint) && open != nullptr) {
      words.hint = line.substr(kHint.size());
      open = &words.hint;
    } else if (line.starts_with("FAILED | ") || line.starts_with("INTERRUPTED | ")) {
      open = nullptr;
    } else if (open != nullptr) {
      fmt::format_to(std::back_inserter(*open), "\n{}", line);
    }
  }
  return words;
}

}  // namespace

LockstepProcess::LockstepProcess(std::vector<std::string> command,
                                 std::vector<std::string> environment)
    : command_(std::move(command)) {
  const Pipe input = MakePipe(), output = MakePipe();
  errors_ = MakeMemoryFile();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors_, STDERR_FILENO);
  std::vector<char*> words;
  for (std::string& word : command_) words.push_back(word.data());
  words.push_back(nullptr);
  std::vector<char*> variables = Laid(environment);
  const int error =
      posix_spawnp(&process_, words[0], &actions, nullptr, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  close(input.read);
  close(output.write);
  to_child_ = input.write;
  from_child_ = output.read;
  if (error != 0) {
    close(to_child_);
    close(from_child_);
    close(errors_);
    throw Error(ErrorKind::kDevice,
                fmt::format("cannot start {}: {}", command_[0], std::strerror(error)),
                "program= takes the path of another build of vernier");
  }
}

LockstepProcess::~LockstepProcess() {
  close(to_child_);
  close(from_child_);
  close(errors_);
  if (process_ < 0) return;
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
}

double LockstepProcess::Run() {
  std::this_thread::sleep_for(kSettle);
  const std::string answer = WriteByte(to_child_) ? ReadLine() : "";
  double ms = 0;
  const char* last = answer.data() + answer.size();
  const auto [end, error] = std::from_chars(answer.data(), last, ms);
  if (answer.empty()) ReportEnd();
  if (error != std::errc() || end != last || !(ms > 0) || !std::isfinite(ms)) ReportAnswer(answer);
  return ms;
}

std::string LockstepProcess::ReadLine() {
  for (;;) {
    if (const size_t newline = unread_.find('\n'); newline != std::string::npos) {
      std::string line = unread_.substr(0, newline);
      unread_.erase(0, newline + 1);
      return line;
    }
    if (unread_.size() > kLongestAnswer) return unread_;
    char bytes[256];
    const ssize_t got = read(from_child_, bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return "";
    unread_.append(bytes, static_cast<size_t>(got));
  }
}

void LockstepProcess::ReportAnswer(const std::string& answer) const {
  throw Error(
      ErrorKind::kDevice,
      fmt::format("{}: expected milliseconds, found '{}'", command_[0], answer.substr(0, 40)),
      ByHand(command_));
}

void LockstepProcess::ReportEnd() {
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  const LastWords words = Understand(Errors());
  const bool exited = WIFEXITED(status);
  if (exited && !words.error.empty()) {
    throw Error(KindOfExit(WEXITSTATUS(status)), words.error, words.hint);
  }
  const std::string how = exited ? fmt::format("exit code {}", WEXITSTATUS(status))
                                 : fmt::format("signal {}", WTERMSIG(status));
  throw Error(ErrorKind::kDevice,
              fmt::format("{} ended with {}{}{}", command_[0], how,
                          words.last_line.empty() ? "" : ": ", words.last_line),
              ByHand(command_));
}

// The end of what was said; the program must have ended.
std::string LockstepProcess::Errors() const {
  struct stat file = {};
  fstat(errors_, &file);
  std::string text(static_cast<size_t>(std::min(file.st_size, kMostErrors)), '\0');
  const ssize_t got =
      pread(errors_, text.data(), text.size(), file.st_size - static_cast<off_t>(text.size()));
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

}  // namespace vernier
