// A comparison that runs its sides on the spot: a candidate setting against a reference that is
// another setting, walked in lockstep, or values on file (a dump, an evidence bundle).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/compiled_model.h"
#include "verify/comparison.h"
#include "verify/given_values.h"
#include "verify/lockstep.h"
#include "verify/reference_cache.h"

namespace vernier {

/// A setting as words and as what they mean.
struct SettingSide {
  std::string words;
  SessionOptions options;
};

/// Values on file as the reference. The model is the candidate's; a missing value is computed from
/// it by `ref`.
struct FiledReference {
  const GivenTensors* tensors = nullptr;
  ComparedSide side;
};

struct SettingComparisonRequest {
  SettingSide candidate;
  std::optional<SettingSide> reference = {};  // one of the two
  std::optional<FiledReference> filed = {};
  std::vector<std::string> images = {};  // pictures,
  PictureHeaders headers = {};           // with what stands above them, and
  NamedTensors inputs = {};              // values fed directly; neither: those on file
  /// Of the answers that a decoder is fed with, where the inputs hold no decoder_input_ids: the
  /// reference's own, chosen greedily. 0: as many as the checkpoint says.
  int64_t max_new_tokens = 0;
  WalkOptions walk = {};
  CacheOptions cache = {};  // of references that `ref` computes
};

/// A part of the model that was walked.
struct WalkedPart {
  const Graph* graph = nullptr;  // the candidate's, before passes
  Extents extents;
};

/// Loads both sides once, and compares as often as wanted. The request must outlive it.
class SettingComparer {
 public:
  /// Throws what loading throws.
  explicit SettingComparer(const SettingComparisonRequest& request);
  ~SettingComparer();
  SettingComparer(const SettingComparer&) = delete;
  SettingComparer& operator=(const SettingComparer&) = delete;

  /// The candidate as its setting says. Throws Error{kUsage} where the sides' inputs have different
  /// shapes, and what reading and running throw.
  Comparison Run();
  /// The candidate under other precision rules; accumulated error alone.
  Comparison RunWith(const PrecisionRules& rules);

  const CompiledModel& candidate() const;
  /// What the last Run went through.
  const std::vector<WalkedPart>& parts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vernier
