// Hugging Face's safetensors: eight bytes of header length, a JSON header, raw little-endian data.
// A file is checked completely before anything in it is believed: the format's own rules are that
// the tensors' spans cover the data in order, without a hole or an overlap, up to its last byte.
// Reading maps the file; writing streams, so that a checkpoint need not fit into memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/mapped_file.h"
#include "io/stored_tensor.h"
#include "vernier/tensor.h"

namespace vernier {

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

/// Reads and checks a whole file in memory; the tensors point into `file`. Throws Error{kInput}
/// naming `path`, and the tensor where there is one.
SafetensorsHeader ParseSafetensors(std::span<const uint8_t> file, const std::string& path);

struct TensorToWrite {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
};

/// Gives the elements of one tensor; called once per tensor, in order, and dropped after writing.
using TensorSource = std::function<Tensor(const TensorToWrite&)>;

/// Writes the whole file or nothing. Tensors are stored by falling element size, then in the order
/// given, so that each is aligned to its elements.
void WriteSafetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                      const TensorSource& source,
                      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace vernier
