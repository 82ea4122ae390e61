// Files of torch.save: zip archives (PyTorch 1.6 and later) and the stream of pickles before it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/stored_tensor.h"

namespace vernier {

struct TorchFile {
  std::string format;                 // for people: "PyTorch zip archive"
  std::vector<StoredTensor> tensors;  // in the order of the file; they point into its memory
};

/// Reads the tensors of a whole file in memory. Nothing in it is executed. Throws Error{kInput}
/// naming `path`.
TorchFile ParseTorchFile(std::span<const uint8_t> file, const std::string& path);

}  // namespace vernier
