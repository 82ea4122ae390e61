// The one family of exceptions. A kind decides the command's exit code; `what` says what was
// expected, what was found and where (file, tensor, node); `hint` says what to do next.
// Callers add context on the way up with WithContext and rethrow. Thread-compatible.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace vernier {

enum class ErrorKind {
  kUsage,        // wrong flags or arguments                                   exit code 2
  kInput,        // bad file, checkpoint, image or request                     exit code 2
  kDevice,       // a device or a library is missing or failed                 exit code 4
  kResource,     // memory or disk ran out                                     exit code 4
  kInternal,     // a fault of our own                                         exit code 5
  kInterrupted,  // the user or a caller stopped the work; it can be resumed   exit code 130
};

/// Process exit code for a kind; the one table that apps and servers use.
int ExitCode(ErrorKind kind);

/// Short name for JSON and logs: "usage", "input", "device", …
const char* Name(ErrorKind kind);

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = "");

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  /// Message and hint in one text.
  const char* what() const noexcept override { return full_.c_str(); }

  /// The same error with "context: " before its message.
  Error WithContext(std::string_view context) const;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::string full_;
};

}  // namespace vernier
