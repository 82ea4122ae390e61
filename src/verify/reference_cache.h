// Values that `ref` computed once, kept between comparisons: one archive for each combination of
// checkpoint, inputs, settings and version. A damaged or foreign file is computed anew; a folder
// that cannot be written to only costs time. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "io/tensor_archive.h"
#include "verify/given_values.h"

namespace vernier {

struct CacheOptions {
  std::string folder;                          // empty: nothing is kept
  int64_t max_bytes = int64_t{8} << 30;        // of all files; the oldest go first
  int64_t max_entry_bytes = int64_t{2} << 30;  // of one; what is beyond is computed again next time
};

/// $VERNIER_CACHE, else ~/.cache/vernier; empty where neither says.
std::string DefaultCacheFolder();

/// The values of one entry, and the place for those that are still missing.
class ReferenceCache final : public GivenTensors {
 public:
  /// `key` is any text; equal keys stand for equal values.
  ReferenceCache(CacheOptions options, const std::string& key);
  ~ReferenceCache() override;

  std::vector<std::string> Names() const override;
  bool Has(std::string_view name) const override;
  Shape ShapeOf(std::string_view name) const override;
  Tensor Read(std::string_view name) const override;

  /// Keeps a value that was computed.
  void Keep(const std::string& name, const TensorView& tensor);
  /// Makes what was kept visible to later comparisons, beside what was there.
  void Finish();
  /// What went wrong with the folder, for a note; empty where nothing did.
  const std::string& trouble() const { return trouble_; }

 private:
  void Attempt(const std::function<void()>& action);
  void MakeRoom() const;

  CacheOptions options_;
  std::string path_, key_;
  std::string trouble_;
  std::optional<TensorArchive> found_;
  std::optional<TensorArchiveWriter> writer_;
};

}  // namespace vernier
