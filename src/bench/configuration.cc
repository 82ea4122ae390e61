#include "bench/configuration.h"

#include <fmt/format.h>

#include "vernier/error.h"

namespace vernier {

bool Configuration::SharesSession(const Configuration& other) const {
  Configuration same_inputs = other;
  same_inputs.patches = patches;
  same_inputs.batch = batch;
  return *this == same_inputs;
}

std::vector<Configuration> Expand(const GridLists& lists) {
  std::vector<Configuration> grid;
  for (const std::string& dtype : lists.dtypes) {
    for (int64_t threads : lists.threads) {
      for (int64_t streams : lists.streams) {
        for (bool parallel : lists.parallel_branches) {
          for (bool dense : lists.dense_top_features) {
            for (const BenchSize& size : lists.sizes) {
              for (int64_t patches : lists.patches) {
                for (int64_t batch : lists.batches) {
                  grid.push_back({dtype, threads, streams, parallel, dense, size.height, size.width,
                                  patches, batch});
                }
              }
            }
          }
        }
      }
    }
  }
  return grid;
}

const char* BranchesName(bool parallel) { return parallel ? "parallel" : "serial"; }
const char* TopFeaturesName(bool dense) { return dense ? "dense" : "sparse"; }

std::string InWords(const Configuration& c) {
  std::string words = fmt::format("{}, {} thread{}", c.dtype, c.threads, c.threads == 1 ? "" : "s");
  if (c.streams != 1) words += fmt::format(", {} streams", c.streams);
  if (c.parallel_branches) words += ", branches in parallel";
  if (c.dense_top_features) words += ", dense top features";
  if (c.patches != 0) words += fmt::format(", {} patches", c.patches);
  if (c.height != 0) words += fmt::format(", {}x{}", c.height, c.width);
  return words + fmt::format(", batch {}", c.batch);
}

SessionOptions OptionsOfStream(SessionOptions base, const Configuration& configuration) {
  if (configuration.threads % configuration.streams != 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} streams cannot share {} thread{} equally", configuration.streams,
                            configuration.threads, configuration.threads == 1 ? "" : "s"),
                "--threads counts those of all streams together; give a multiple of --streams");
  }
  base.dtype = configuration.dtype;
  base.threads = static_cast<int>(configuration.threads / configuration.streams);
  base.parallel_branches = configuration.parallel_branches;
  base.dense_top_features = configuration.dense_top_features;
  if (configuration.height != 0) base.height = configuration.height;
  if (configuration.width != 0) base.width = configuration.width;
  return base;
}

}  // namespace vernier
