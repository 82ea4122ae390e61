#include "support/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

extern char** environ;

namespace vernier {
namespace {

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  }
  ~Pipe() {
    close(ends[0]);
    CloseWriteEnd();
  }
  void CloseWriteEnd() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  std::array<int, 2> ends = {-1, -1};
};

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Appends what is there; false at the end of the stream.
bool ReadSome(int descriptor, std::string& text) {
  char buffer[4096];
  const ssize_t n = read(descriptor, buffer, sizeof(buffer));
  if (n > 0) text.append(buffer, static_cast<size_t>(n));
  return n > 0;
}

void Collect(pid_t child, Pipe& output, Pipe& errors, int signal_after_ms, SpawnResult& result) {
  const auto start = std::chrono::steady_clock::now();
  bool signalled = signal_after_ms == 0;
  std::array<pollfd, 2> streams = {{{output.ends[0], POLLIN, 0}, {errors.ends[0], POLLIN, 0}}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    constexpr int kPollMs = 10;
    poll(streams.data(), streams.size(), signalled ? -1 : kPollMs);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    if (!signalled && elapsed >= std::chrono::milliseconds(signal_after_ms)) {
      kill(child, SIGINT);
      signalled = true;
    }
    for (size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) continue;
      if (!ReadSome(streams[i].fd, i == 0 ? result.output : result.errors)) streams[i].fd = -1;
    }
  }
}

}  // namespace

std::string SpawnResult::LastErrorLine() const {
  std::string text = errors;
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

SpawnResult Spawn(const std::vector<std::string>& command, const SpawnOptions& options) {
  std::vector<std::string> words = command;
  std::vector<std::string> variables = options.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  Pipe output;
  Pipe errors;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (options.standard_output.empty()) {
    posix_spawn_file_actions_adddup2(&actions, output.ends[1], 1);
  } else {
    posix_spawn_file_actions_addopen(&actions, 1, options.standard_output.c_str(), O_WRONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, errors.ends[1], 2);
  pid_t child = 0;
  const int failed = posix_spawn(&child, words[0].c_str(), &actions, nullptr,
                                 Pointers(words).data(), Pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + words[0]);
  output.CloseWriteEnd();
  errors.CloseWriteEnd();
  SpawnResult result;
  Collect(child, output, errors, options.signal_after_ms, result);
  int status = 0;
  waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace vernier
