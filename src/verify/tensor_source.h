// One side of a comparison as a list of named tensors whose values are read one at a time: a dump
// folder with its manifest, a folder of .npy files, a msaccucmp tree, an array, a weights file, or
// the JSON of `vernier run`. Opening checks names and headers; values are mapped, not copied.
// One thread at a time may load from a source.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "io/mapped_file.h"
#include "io/npy_header.h"
#include "verify/comparison.h"
#include "vernier/instances.h"

namespace vernier {

struct SourceTensor {
  ComparedTensor facts;
  std::vector<std::string> aliases = {};
  std::string op = {};
  int64_t order = -1;  // place in the run; -1 where the side does not say
  bool output = false;
  bool preprocessing = false;  // what a processor makes of a picture or text
};

/// What one picture or prompt gave, of a results file.
struct SourceResult {
  std::string item;                      // the picture or prompt
  std::vector<std::string> labels = {};  // best first
  std::optional<std::string> text = {};
  std::optional<std::vector<Instance>> instances = {};  // of a detector
};

/// Values of one tensor, in memory or in a file's pages.
class LoadedTensor {
 public:
  explicit LoadedTensor(Tensor values);
  /// The elements of a .npy file as `layout` says; copied where the file has another byte or axis
  /// order.
  LoadedTensor(MappedFile file, const NpyLayout& layout);
  /// A view into what `owner` keeps alive.
  LoadedTensor(TensorView view, std::shared_ptr<const void> owner);

  const TensorView& view() const { return view_; }
  /// `count` elements from `first` on, as a row.
  TensorView Part(int64_t first, int64_t count) const;
  /// Gives pages of that part back, where there are any; they are read again when touched.
  void ReleasePart(int64_t first, int64_t count) const;
  /// Throws Error{kInput} when the file became shorter since it was opened.
  void CheckIntact() const;

 private:
  std::optional<MappedFile> file_;
  Tensor values_;
  std::shared_ptr<const void> owner_;
  TensorView view_;
};

class TensorSource {
 public:
  /// Throws Error{kInput} that names the file, what was expected there and what was found.
  static TensorSource Open(const std::string& path);

  const ComparedSide& side() const { return side_; }
  const std::vector<SourceTensor>& tensors() const { return tensors_; }
  const std::vector<SourceResult>& results() const { return results_; }
  /// Values that the side says it could not show, with its reason.
  const std::vector<UnpairedTensor>& absent() const { return absent_; }
  /// What is odd about the files without making them unusable.
  const std::vector<std::string>& notes() const { return notes_; }
  /// Whether '/', '.' and ' ' in names stand as '_' (as Ascend's tools write them).
  bool flattens_names() const { return flattens_names_; }

  LoadedTensor Load(size_t index) const;

 private:
  void ReadManifest(const std::string& folder);
  void ReadArrays(const std::string& folder);
  void ReadArray(const std::string& path);
  void ReadWeightsFile(const std::string& path);
  void ReadResults(const std::string& path);
  void AddArray(SourceTensor tensor, const std::string& path);
  void Sort();

  ComparedSide side_;
  std::vector<SourceTensor> tensors_;
  std::vector<SourceResult> results_;
  std::vector<UnpairedTensor> absent_;
  std::vector<std::string> notes_;
  bool flattens_names_ = false;
  std::shared_ptr<const Checkpoint> checkpoint_;                        // of a weights file
  std::map<std::string, std::shared_ptr<Tensor>, std::less<>> values_;  // of a results file
};

/// `name` with '/', '.' and ' ' as '_'.
std::string FlattenedName(std::string name);

/// Order of names in which layer.2 stands before layer.10.
bool NaturalLess(const std::string& a, const std::string& b);

}  // namespace vernier
