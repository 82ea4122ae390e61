#include "metrics/verdict.h"

namespace vernier {

const char* Name(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPassed:
      return "passed";
    case VerdictKind::kFailed:
      return "failed";
    case VerdictKind::kInconclusive:
      return "inconclusive";
  }
  return "";
}

}  // namespace vernier
