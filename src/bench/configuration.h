// One point of a benchmark's grid, and grids of them.
//
// Streams are sessions that run at the same time, each with weights and working memory of its own
// and an equal part of the threads: two streams on four threads are two sessions of two threads.
// Branches are parts of one model that do not depend on each other; in parallel they run side by
// side and share the threads, instead of one after the other on all of them.
// Top features are what a BlendMask mixes masks from: sparse is at its detections alone, which the
// network's run leaves to what follows, dense is at every location, as published exports have it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vernier/session.h"

namespace vernier {

struct Configuration {
  std::string dtype = "f32";
  int64_t threads = 1;  // of all streams together
  int64_t streams = 1;
  bool parallel_branches = false;
  bool dense_top_features = false;
  int64_t height = 0;  // 0: the checkpoint's
  int64_t width = 0;
  int64_t patches = 0;  // of one picture, for models that take any number; 0: the checkpoint's
  int64_t batch = 1;

  bool operator==(const Configuration& other) const = default;
  /// Whether a session made for the other one can run this one.
  bool SharesSession(const Configuration& other) const;
};

struct BenchSize {
  int64_t height = 0;
  int64_t width = 0;
};

struct GridLists {
  std::vector<std::string> dtypes = {"f32"};
  std::vector<int64_t> threads = {1};
  std::vector<int64_t> streams = {1};
  std::vector<bool> parallel_branches = {false};
  std::vector<bool> dense_top_features = {false};
  std::vector<BenchSize> sizes = {{}};
  std::vector<int64_t> patches = {0};
  std::vector<int64_t> batches = {1};
};

/// All combinations; batches change fastest, so that neighbours share a session.
std::vector<Configuration> Expand(const GridLists& lists);

/// "serial" or "parallel".
const char* BranchesName(bool parallel);
/// "sparse" or "dense".
const char* TopFeaturesName(bool dense);

/// "f32, 2 threads, batch 4", with streams, branches and size where they are not the usual ones.
std::string InWords(const Configuration& configuration);

/// `base` with the configuration's part of one stream. Throws Error{kUsage} where the threads
/// cannot be divided among the streams.
SessionOptions OptionsOfStream(SessionOptions base, const Configuration& configuration);

}  // namespace vernier
