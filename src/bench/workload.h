// What one run of a benchmark is: a session fed with noise of the size that the model wants.
// The outputs of the last run are kept, for their hash. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "vernier/session.h"

namespace vernier {

/// SHA-256 over names, types, extents and bytes of all tensors.
std::string HashOf(const NamedTensors& tensors);

class Workload {
 public:
  /// The session must outlive the workload.
  Workload(Session& session, int64_t batch);

  void Run(const RunHooks& hooks = {}) { outputs_ = session_->Run(inputs_, hooks); }
  std::string OutputsHash() const { return HashOf(outputs_); }

  Session& session() const { return *session_; }
  const NamedTensors& inputs() const { return inputs_; }
  int64_t batch() const { return batch_; }

 private:
  Session* session_;
  int64_t batch_;
  NamedTensors inputs_;
  NamedTensors outputs_;
};

}  // namespace vernier
