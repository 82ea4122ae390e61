// WeightStore: the weights of one checkpoint, shared by all programs that run it. Raw tensors come
// from a source by canonical name; converted and packed forms are made on first use and shared by
// reference count, so that two programs (or two precisions of one) hold one copy of what is equal.
// Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/huge_page_pool.h"
#include "vernier/tensor.h"

namespace vernier {

/// Bytes of a packed or converted weight, zeros at first; frees itself.
class WeightBytes {
 public:
  WeightBytes() = default;
  /// Throws Error{kResource} where there is no memory for them.
  WeightBytes(size_t bytes, HugePagePool& pool);
  void* data() { return data_.get(); }
  const void* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
  std::shared_ptr<void> data_;
};

class WeightStore {
 public:
  struct Source {
    /// The tensor of that canonical name; throws Error{kInput} when it is missing. The view stays
    /// valid as long as the source.
    std::function<TensorView(const std::string& name)> view;
    /// Called when the store holds its own copy, so that file pages can be given back. May be
    /// empty.
    std::function<void(const std::string& name)> release;
  };

  explicit WeightStore(Source source) : source_(std::move(source)) {}
  virtual ~WeightStore() = default;

  TensorView Raw(const std::string& name) const { return source_.view(name); }
  void Release(const std::string& name) const;

  /// The tensor as dense f32: the source's own bytes when they are f32, else a shared copy.
  struct Float32View {
    std::shared_ptr<const WeightBytes> owner;  // null when the source's bytes are used
    const float* data = nullptr;
  };
  Float32View Float32(const std::string& name);
  /// As Float32, but always a copy, so that the file's pages can go; for small tensors.
  std::shared_ptr<const WeightBytes> Float32Copy(const std::string& name);

  /// The form of `key` (tensors, transform, dtype and layout tag), made by `make` on first use.
  virtual std::shared_ptr<const WeightBytes> Packed(
      const std::string& key, size_t bytes, const std::function<void(WeightBytes& into)>& make);

  /// Bytes of all converted and packed forms that are alive.
  size_t packed_bytes() const;

  /// Bytes that `use` would add to them: it is given a store that makes nothing and counts what it
  /// is asked for.
  size_t BytesToPack(const std::function<void(WeightStore& counting)>& use) const;

 private:
  struct Slot {
    std::mutex making;
    std::weak_ptr<const WeightBytes> bytes;
  };

  Source source_;
  HugePagePool pool_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Slot>> slots_;
};

}  // namespace vernier
