// Which files of a folder are the checkpoint.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vernier {

struct CheckpointFiles {
  std::vector<std::string> paths;
  /// Of a sharded checkpoint: the path of its index, the shard (position in paths) that it names
  /// for each tensor, and the bytes of all tensors that it claims.
  std::string index = {};
  std::map<std::string, size_t> shard_of = {};
  std::optional<int64_t> claimed_bytes = {};
};

/// Whether a file of that name in a checkpoint's folder is taken for weights.
bool MayBeWeights(const std::string& name);

/// The weights in a folder, or the file itself. In a folder: model.safetensors, then its index of
/// shards, then pytorch_model.bin and its index, then the only file whose name ends as one of
/// weights. Throws Error{kInput} when there are none, or several to choose from.
CheckpointFiles FindCheckpointFiles(const std::string& path);

}  // namespace vernier
