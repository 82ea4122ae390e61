// What `vernier run` refuses before anything is read: flags that contradict each other, and flags
// that ask for what the model does not do.
#pragma once

#include <cstddef>
#include <cstdint>

#include "run_options.h"
#include "vernier/session.h"

namespace vernier {

/// Pictures in one run. A dump shows all of them side by side unless a batch size was chosen.
int64_t BatchSizeOf(const RunVerbOptions& options, size_t pictures);

/// Throws Error{kUsage}; `fed`: tensors are given in place of pictures.
void CheckRunFlags(const RunVerbOptions& options, size_t pictures, bool fed);

/// Throws Error{kUsage} that names the flag and what the model is.
void CheckFlagsFit(const RunVerbOptions& options, size_t pictures, const Session& session);

}  // namespace vernier
