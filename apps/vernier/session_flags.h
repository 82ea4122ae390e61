// Flags that run and bench share: which model, computed how.
#pragma once

#include <string>
#include <vector>

#include "flags.h"
#include "terminal.h"
#include "vernier/session.h"

namespace vernier {

struct SessionFlags {
  std::string model;
  std::string config;
  std::string device = "cpu";
  std::string isa;
  std::string precision_file;
  bool no_onednn = false;
  std::string winograd = "auto";
  std::vector<std::string> disabled_passes;
  std::string size;
  bool interpolate = false;
  std::string semantics;

  /// For verbs that take sizes as a list and set them themselves.
  SessionFlags WithoutSize() const;
};

std::vector<Flag> SessionFlagTable(SessionFlags& flags);

/// Options of a session, without dtype and threads. Throws Error{kUsage} for a size that cannot be
/// read.
SessionOptions ToSessionOptions(const SessionFlags& flags);

/// Shows what a session warns about.
void ShowWarnings(const std::vector<std::string>& warnings, Terminal& terminal);

}  // namespace vernier
