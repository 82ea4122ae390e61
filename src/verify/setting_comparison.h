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
  PictureHeaders headers = {};           // with what stands above them; or
  NamedTensors inputs = {};              // values fed directly; neither: those on file
  WalkOptions walk = {};
  CacheOptions cache = {};  // of references that `ref` computes
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
  /// Of the candidate's inputs.
  Extents extents();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vernier
