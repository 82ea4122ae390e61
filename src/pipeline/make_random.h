// Full-size checkpoints of random weights, for measuring speed without downloads.
#pragma once

#include <cstdint>
#include <string>

namespace vernier {

struct RandomCheckpoint {
  int64_t tensors = 0;
  int64_t bytes = 0;
};

/// Writes a folder with config.json (a copy of `config`, a file or its folder), the processor's
/// configuration where it lies beside, and model.safetensors with weights as the family's
/// initialiser draws them, in f32 or, where the configuration says so, in bf16. Tensors are made
/// one at a time. Throws Error for a config that names no known family, for a folder that holds
/// weights or another config.json, and for one that cannot be written.
RandomCheckpoint MakeRandomCheckpoint(const std::string& config, const std::string& folder,
                                      uint64_t seed);

}  // namespace vernier
