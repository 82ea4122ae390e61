// Another vernier program that answers, run by run, how long it took (bench --lockstep). It waits
// on its standard input between runs, so that two programs never work at the same time.
#pragma once

#include <string>
#include <vector>

namespace vernier {

class LockstepProcess {
 public:
  /// Starts `command`, the program first, with this process's environment and "NAME=VALUE" of
  /// `environment` in it; what it says on standard error is kept for the case that it ends. Throws
  /// Error{kDevice} when it cannot be started.
  explicit LockstepProcess(std::vector<std::string> command,
                           std::vector<std::string> environment = {});
  LockstepProcess(const LockstepProcess&) = delete;
  LockstepProcess& operator=(const LockstepProcess&) = delete;
  /// Closes its input, which ends it, and waits.
  ~LockstepProcess();

  /// One run's milliseconds. When the program has ended, throws the error that it told, of the kind
  /// that its exit code stands for; Error{kDevice} when it told none or answers anything else.
  double Run();

 private:
  std::string ReadLine();
  [[noreturn]] void ReportAnswer(const std::string& answer) const;
  [[noreturn]] void ReportEnd();
  std::string Errors() const;

  std::vector<std::string> command_;
  int process_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  int errors_ = -1;
  std::string unread_;
};

}  // namespace vernier
