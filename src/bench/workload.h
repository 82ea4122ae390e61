// What one run of a benchmark is: a session fed with noise of the size that the model wants, and
// for a model that writes, an answer of a fixed number of tokens. The results of the last run are
// kept, for their hash. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vernier/session.h"

namespace vernier {

/// SHA-256 over names, types, extents and bytes of all tensors.
std::string HashOf(const NamedTensors& tensors);

struct WorkloadOptions {
  int64_t batch = 1;
  int64_t patches = 0;     // 0: the checkpoint's
  int64_t new_tokens = 0;  // of each answer; 0: the pictures are encoded and nothing is written
};

class Workload {
 public:
  /// The session must outlive the workload.
  Workload(Session& session, const WorkloadOptions& options);

  void Run();
  /// A run whose nodes can be watched: of a model that writes, encoding and the first step of the
  /// answer.
  void RunWatched(const RunHooks& hooks) { outputs_ = session_->Run(watched_inputs(), hooks); }
  const NamedTensors& watched_inputs() const { return writes() ? first_step_ : inputs_; }

  /// What a detector's last run found.
  std::vector<PictureInstances> FindInstances() { return session_->FindInstances(outputs_, {}); }
  bool detects() const { return session_->info().classes > 0; }

  std::string OutputsHash() const;
  Session& session() const { return *session_; }
  const NamedTensors& inputs() const { return inputs_; }
  bool writes() const { return new_tokens_ > 0; }
  int64_t new_tokens() const { return new_tokens_; }
  /// Patches of one picture; 0 for models that take pictures whole.
  int64_t patches() const;
  /// Of every run so far that wrote.
  const std::vector<GenerationSeconds>& generation_seconds() const { return seconds_; }

 private:
  Session* session_;
  NamedTensors inputs_;
  NamedTensors first_step_;  // inputs_ and the start token
  GenerationRequest request_;
  int64_t new_tokens_ = 0;
  NamedTensors outputs_;
  std::vector<GeneratedText> answers_;
  std::vector<GenerationSeconds> seconds_;
};

}  // namespace vernier
