// What this machine does at its best: the rate of our own matrix kernel on panels that stay in the
// core's cache, and the rate at which memory can be read. The roofline that profiles are held to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cpu_features.h"
#include "core/json_writer.h"
#include "vernier/tensor.h"

namespace vernier {

struct Peaks {
  int threads = 1;
  std::string isa;
  double f32_gflops = 0;
  double bf16_gflops = 0;
  double gb_per_s = 0;  // 1e9 bytes, all threads reading memory that no cache holds

  /// GFLOP/s for products of numbers called `dtype` ("f32", "bf16", or "int8", multiplied as bf16).
  double gflops(const std::string& dtype) const {
    return dtype == "f32" ? f32_gflops : bf16_gflops;
  }
};

/// How fast all of some threads together read memory that no cache holds, on huge pages, as weights
/// lie. It keeps memory of sixteen times the last cache's size, but at most a quarter of what is
/// available.
class MemoryReader {
 public:
  explicit MemoryReader(int threads);
  /// 1e9 bytes a second, over 20 ms.
  double GbPerSecond();

 private:
  struct alignas(64) Place {
    int64_t block = 0;
  };
  int threads_;
  int64_t words_ = 0;  // of a thread's part, and of a block of it
  int64_t block_words_ = 0;
  Tensor memory_;
  std::vector<Place> next_;  // by thread
};

/// Takes about half a second and, for a moment, sixteen times the last cache's size of memory.
Peaks MeasurePeaks(int threads, Isa isa);

void WriteJson(const Peaks& peaks, JsonWriter& json);

}  // namespace vernier
