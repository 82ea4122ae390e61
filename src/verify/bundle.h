// Evidence bundles: one file with a run's inputs, values, hashes and environment, so that the run
// can be the reference on a machine that has neither its framework nor its device.
// docs/reference/bundle.md describes the content.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "io/tensor_archive.h"
#include "pipeline/compiled_model.h"
#include "verify/comparison.h"
#include "verify/given_values.h"

namespace vernier {

struct RecordRequest {
  SessionOptions options;
  std::vector<std::string> images = {};
  PictureHeaders headers = {};
  NamedTensors inputs = {};            // beside or instead of images
  int64_t max_new_tokens = 0;          // as in SettingComparisonRequest
  std::vector<std::string> taps = {};  // globs over names and aliases; none: every module
  DType taps_dtype = DType::kF32;      // or kBF16: half the size, rounded
  const std::atomic<bool>* cancel = nullptr;
};

struct RecordedBundle {
  int64_t tensors = 0;
  int64_t bytes = 0;
  std::vector<std::string> warnings;
};

/// Runs and writes the file, whole or not at all. Throws Error{kUsage} when no value has a wanted
/// name, and what loading, reading, running and writing throw.
RecordedBundle RecordBundle(const RecordRequest& request, const std::string& path);

class Bundle final : public GivenTensors {
 public:
  /// Throws Error{kInput} for a file that is damaged or no bundle.
  static Bundle Open(const std::string& path);
  /// Whether a file begins as one; false for what cannot be read.
  static bool IsOne(const std::string& path);

  std::vector<std::string> Names() const override;
  bool Has(std::string_view name) const override { return archive_.Find(name) != nullptr; }
  Shape ShapeOf(std::string_view name) const override { return archive_.Find(name)->shape; }
  Tensor Read(std::string_view name) const override;

  /// What the bundle says of its run.
  ComparedSide Side() const;
  /// Throws Error{kInput} when it was recorded from another family of models.
  void CheckFits(const LoadedModel& model) const;
  /// What is to be known of a comparison with it: rounded values, another checkpoint.
  std::vector<std::string> Notes(const std::string& model_sha256) const;

 private:
  explicit Bundle(TensorArchive archive) : archive_(std::move(archive)) {}

  TensorArchive archive_;
};

}  // namespace vernier
