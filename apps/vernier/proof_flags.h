// Flags of verbs that run a model to prove something about it: compare with settings, record.
#pragma once

#include <string>
#include <vector>

#include "flags.h"
#include "vernier/session.h"

namespace vernier {

struct ProofFlags {
  std::string model;
  std::vector<std::string> images;
  std::vector<std::string> inputs;  // NAME=FILE.npy
  std::vector<std::string> prompts;
  std::vector<std::string> header_images;
  int64_t threads = 0;
  int64_t max_patches = 0;
  int64_t max_new_tokens = 0;
};

std::vector<Flag> ProofFlagTable(ProofFlags& flags);

/// What both sides of a proof have in common; settings change it.
SessionOptions ToSessionOptions(const ProofFlags& flags);

}  // namespace vernier
