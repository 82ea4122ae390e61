#include "io/run_apart.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <span>
#include <utility>

#include "core/interrupt.h"
#include "core/key_value_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// The first byte that a child writes.
enum class Ending : uint8_t { kDone, kRefused, kNoMemory };

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) {
      throw Error(ErrorKind::kResource, fmt::format("no pipe: {}", strerror(errno)),
                  "raise the limit of open files (ulimit -n)");
    }
  }
  ~Pipe() {
    CloseWriting();
    close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void CloseWriting() { close(std::exchange(ends_[1], -1)); }

  bool Write(std::span<const uint8_t> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = write(ends_[1], bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return true;
  }

  std::vector<uint8_t> ReadAll() const {
    std::vector<uint8_t> all;
    std::vector<uint8_t> part(size_t{1} << 16);
    for (;;) {
      const ssize_t got = read(ends_[0], part.data(), part.size());
      if (got == 0 || (got < 0 && errno != EINTR)) return all;
      if (got > 0) all.insert(all.end(), part.begin(), part.begin() + got);
    }
  }

 private:
  int ends_[2];
};

// The signal at the first limit says which one it was; SIGKILL comes at the last.
void Limit(int resource, int64_t value, int64_t grace = 0) {
  const rlimit limit{static_cast<rlim_t>(value), static_cast<rlim_t>(value + grace)};
  setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

void EnterLimits(const ApartLimits& limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Only the parent tells of an interruption.
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGXCPU, SIG_DFL);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_CPU, limits.processor_seconds, 5);
  Limit(RLIMIT_AS,
        KibibytesOf(ReadKeyValueFile("/proc/self/status"), "VmSize") + limits.memory_bytes);
}

std::vector<uint8_t> Framed(Ending ending, std::span<const uint8_t> payload) {
  std::vector<uint8_t> frame = {static_cast<uint8_t>(ending)};
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

// Kind, message, a zero, hint.
std::vector<uint8_t> Framed(const Error& error) {
  std::vector<uint8_t> payload = {static_cast<uint8_t>(error.kind())};
  payload.insert(payload.end(), error.message().begin(), error.message().end());
  payload.push_back(0);
  payload.insert(payload.end(), error.hint().begin(), error.hint().end());
  return Framed(Ending::kRefused, payload);
}

[[noreturn]] void Rethrow(std::span<const uint8_t> payload) {
  const std::string text(payload.begin() + 1, payload.end());
  const size_t zero = text.find('\0');
  throw Error(static_cast<ErrorKind>(payload[0]), text.substr(0, zero), text.substr(zero + 1));
}

// Nothing may leave it: the frames above are the parent's, whose catch blocks and destructors would
// act a second time, on its files.
[[noreturn]] void Work(const Pipe& pipe, const ApartLimits& limits,
                       const std::function<std::vector<uint8_t>()>& work) noexcept {
  std::vector<uint8_t> frame;
  try {
    EnterLimits(limits);
    frame = Framed(Ending::kDone, work());
  } catch (const Error& error) {
    frame = Framed(error);
  } catch (const std::bad_alloc&) {
    frame = Framed(Ending::kNoMemory, {});
  } catch (const std::exception& error) {
    frame = Framed(Error(ErrorKind::kInternal, error.what()));
  }
  _exit(pipe.Write(frame) ? 0 : 1);  // without the parent's destructors and buffers
}

[[noreturn]] void Blame(const std::string& what, const ApartLimits& limits, int status) {
  ThrowIfInterrupted();
  constexpr const char* kHint = "see whether another program opens the file, or get it again";
  if (!WIFSIGNALED(status)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: reading it ended with status {}", what, WEXITSTATUS(status)),
                kHint);
  }
  const int signal = WTERMSIG(status);
  if (signal == SIGXCPU) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: reading it took more than {} s of processor time", what,
                            limits.processor_seconds),
                kHint);
  }
  throw Error(ErrorKind::kInput,
              fmt::format("{}: the library that reads it crashed on it (signal {}, {})", what,
                          signal, strsignal(signal)),
              kHint);
}

}  // namespace

std::vector<uint8_t> RunApart(const std::string& what, const ApartLimits& limits,
                              const std::function<std::vector<uint8_t>()>& work) {
  Pipe pipe;
  const pid_t child = fork();
  if (child < 0) {
    throw Error(ErrorKind::kResource,
                fmt::format("{}: no process to read it in: {}", what, strerror(errno)));
  }
  if (child == 0) Work(pipe, limits, work);
  pipe.CloseWriting();
  std::vector<uint8_t> frame = pipe.ReadAll();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0 || frame.empty()) Blame(what, limits, status);
  const auto ending = static_cast<Ending>(frame[0]);
  frame.erase(frame.begin());
  if (ending == Ending::kRefused) Rethrow(frame);
  if (ending == Ending::kNoMemory) {
    throw Error(ErrorKind::kResource,
                fmt::format("{}: reading it takes more memory than it may have", what),
                "render it with a lower --dpi");
  }
  return frame;
}

}  // namespace vernier
