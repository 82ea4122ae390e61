// A published checkpoint, whatever its files: safetensors or PyTorch, one file or shards.
// Owns the maps; views stay valid while it lives and until ReleasePages of their tensor.
// Move-only; const members may be called from many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

struct CheckpointTensor {
  std::string name;  // without the "module." of data-parallel training
  DType dtype = DType::kF32;
  Shape shape;
  size_t file = 0;  // position in files()
};

struct CheckpointFile {
  std::string path;
  size_t bytes = 0;
};

class Checkpoint {
 public:
  /// Opens a folder or a file and checks everything but the values. Throws Error{kInput} that names
  /// the file, the tensor where there is one, and what to do.
  static Checkpoint Open(const std::string& path);

  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;
  ~Checkpoint();

  /// In the order of the files.
  const std::vector<CheckpointTensor>& tensors() const;
  const std::vector<CheckpointFile>& files() const;
  /// For people: "safetensors", "safetensors, 3 shards", "PyTorch zip archive".
  const std::string& format() const;
  /// What is odd about the files without making them unusable.
  const std::vector<std::string>& warnings() const;

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  /// The tensor, or nullptr.
  const CheckpointTensor* Find(std::string_view name) const;
  /// The elements, dense and aligned: in the file's pages where they are stored so, else in a copy
  /// that is made at the first call. Throws Error{kInput} when there is no such tensor.
  TensorView View(std::string_view name) const;
  /// Gives the tensor's pages or copy back; earlier views of it become invalid. A later View reads
  /// it again.
  void ReleasePages(std::string_view name) const;
  /// Throws Error{kInput} when a file became shorter since it was opened. Call after reading views:
  /// pages that are gone read as zeros.
  void CheckIntact() const;

 private:
  struct Content;
  explicit Checkpoint(std::unique_ptr<Content> content);
  size_t IndexOf(std::string_view name) const;

  std::unique_ptr<Content> content_;
};

}  // namespace vernier
