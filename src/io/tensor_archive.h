// One file that holds named tensors and facts about them, written as they come and read by name:
// what evidence bundles and cached references are. docs/reference/bundle.md describes the bytes.
// Reading trusts nothing: the index is bounded and hashed, every span is checked, and every
// tensor's values are hashed when they are read. Not thread-safe.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/atomic_file.h"
#include "io/json.h"
#include "io/mapped_file.h"
#include "vernier/tensor.h"

namespace vernier {

class TensorArchiveWriter {
 public:
  /// The file appears with Finish. Throws Error when it cannot be written.
  explicit TensorArchiveWriter(const std::string& path);

  /// Adds a tensor under a name that is new; `facts` (an object) are given back by the reader.
  void Add(const std::string& name, const TensorView& tensor, Json facts = Json::Object());
  bool Has(std::string_view name) const { return names_.contains(name); }
  size_t count() const { return names_.size(); }
  int64_t bytes() const { return static_cast<int64_t>(offset_); }

  /// Writes the index, with facts about the whole, and makes the file visible.
  void Finish(Json facts);

 private:
  void Write(std::string_view bytes);

  AtomicFile file_;
  uint64_t offset_ = 0;
  Json entries_ = Json::Array();
  std::map<std::string, bool, std::less<>> names_;
};

class TensorArchive {
 public:
  struct Entry {
    std::string name;
    DType dtype = DType::kF32;
    Shape shape;
    uint64_t offset = 0;
    std::string sha256;
    Json facts;
  };

  /// Throws Error{kInput} naming the file and what is wrong with it.
  static TensorArchive Open(const std::string& path);

  /// Whether the file's first bytes are an archive's. Throws Error when it cannot be read.
  static bool BeginsAsOne(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const Json& facts() const { return facts_; }
  const std::vector<Entry>& entries() const { return entries_; }  // in the order of writing
  const Entry* Find(std::string_view name) const;

  /// The stored values. Throws Error{kInput} when they are not those that were written.
  Tensor Read(const Entry& entry) const;
  /// Throws as Read does, for the first tensor that is not what was written.
  void CheckValues() const;

 private:
  TensorArchive(MappedFile file, const Json& index);
  std::span<const uint8_t> Bytes(const Entry& entry) const;
  void CheckHash(const Entry& entry, std::span<const uint8_t> bytes) const;

  MappedFile file_;
  Json facts_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace vernier
