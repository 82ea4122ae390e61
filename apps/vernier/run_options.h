// What `vernier run` can be told, and its flag table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chat_flags.h"
#include "generation_flags.h"
#include "picture_flags.h"
#include "session_flags.h"

namespace vernier {

struct RunVerbOptions {
  SessionFlags session;
  std::vector<std::string> images;
  std::vector<std::string> inputs;  // NAME=FILE.npy
  int64_t batch = 1;
  std::string dtype = "f32";
  int64_t threads = 0;
  PictureFlags pictures;
  int64_t max_image_pixels = 0;
  std::vector<std::string> prompts;
  ChatFlags chat;
  std::string pages;
  std::vector<std::string> header_images;
  bool labels = false;
  int64_t top_k = 0;  // 0: five labels, or the checkpoint's when sampling
  bool allow_random_head = false;
  int64_t seed = 0;
  std::string embedding = "cls";
  bool similarity = false;
  double score_threshold = 0;
  int64_t max_detections = 0;
  std::string out;
  GenerationFlags generation;
  bool log_probs = false;
  std::string dump;
  std::vector<std::string> dump_filter;
  std::string json;
  bool placement = false;
  std::string print_graph;
  bool list_passes = false;
};

std::vector<Flag> RunFlags(RunVerbOptions& options);

/// The session that the flags describe.
SessionOptions ToSessionOptions(const RunVerbOptions& options);

}  // namespace vernier
