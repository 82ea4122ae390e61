#include "vernier/error.h"

#include <utility>

namespace vernier {

int ExitCode(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kInput:
      return 2;
    case ErrorKind::kDevice:
    case ErrorKind::kResource:
      return 4;
    case ErrorKind::kInternal:
      return 5;
    case ErrorKind::kInterrupted:
      return 130;
  }
  return 5;
}

const char* Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kInput:
      return "input";
    case ErrorKind::kDevice:
      return "device";
    case ErrorKind::kResource:
      return "resource";
    case ErrorKind::kInternal:
      return "internal";
    case ErrorKind::kInterrupted:
      return "interrupted";
  }
  return "internal";
}

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {
  full_ = hint_.empty() ? message_ : message_ + " (" + hint_ + ")";
}

Error Error::WithContext(std::string_view context) const {
  return Error(kind_, std::string(context) + ": " + message_, hint_);
}

}  // namespace vernier
