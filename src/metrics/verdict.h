// What evidence says of a claim, for every verb that judges. A gate is decided only where the
// evidence decides it.
#pragma once

namespace vernier {

enum class VerdictKind { kPassed, kFailed, kInconclusive };

/// "passed", "failed", "inconclusive".
const char* Name(VerdictKind kind);

}  // namespace vernier
