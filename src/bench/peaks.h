// What this machine does at its best: the rate of our own matrix kernel on panels that stay in the
// core's cache, and the rate at which memory can be read. The roofline that profiles are held to.
#pragma once

#include <string>

#include "core/cpu_features.h"
#include "core/json_writer.h"

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

/// Takes about half a second and, for a moment, sixteen times the last cache's size of memory.
Peaks MeasurePeaks(int threads, Isa isa);

void WriteJson(const Peaks& peaks, JsonWriter& json);

}  // namespace vernier
