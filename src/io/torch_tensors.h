// From the data of a PyTorch pickle to the tensors it describes.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/pickle.h"
#include "io/stored_tensor.h"

namespace vernier {

/// The raw bytes that tensors are views of, by the key that the pickle uses.
struct TorchStorages {
  std::map<std::string, std::span<const uint8_t>, std::less<>> bytes;
  bool big_endian = false;
};

/// The tensors of the state dict in `root`, which may be wrapped ({'model': …}) and stand beside
/// numbers, strings and optimizer states. Throws Error{kInput} naming `path` and the tensor.
std::vector<StoredTensor> CollectTensors(const PickleNode& root, const TorchStorages& storages,
                                         const std::string& path);

/// A persistent identifier of a pickle, checked: which storage, of what, how long.
struct StorageReference {
  std::string key;
  std::string type;         // "torch FloatStorage"
  int64_t elements = 0;     // of that type; bytes for an untyped storage
  int64_t view_offset = 0;  // in elements, for the stream layout's views into another storage
};
StorageReference ReadStorageReference(const PickleNode& node);

}  // namespace vernier
