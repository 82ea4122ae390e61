// What `vernier eval` can be told, and its flag table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generation_flags.h"
#include "picture_flags.h"
#include "session_flags.h"

namespace vernier {

struct EvalVerbOptions {
  SessionFlags session;
  GenerationFlags generation;
  std::string data;
  std::string task = "auto";
  std::vector<std::string> metrics;
  int64_t max_samples = 0;
  std::string failed = "skip";
  std::string dtype = "f32";
  int64_t threads = 0;
  int64_t batch = 8;
  PictureFlags pictures;
  bool allow_random_head = false;
  int64_t seed = 0;
  std::string embedding = "cls";
  std::vector<std::string> gates;
  std::string baseline;
  std::string out;
  std::string json;
};

std::vector<Flag> EvalFlags(EvalVerbOptions& options);

/// The session that the flags describe.
SessionOptions ToSessionOptions(const EvalVerbOptions& options);

}  // namespace vernier
