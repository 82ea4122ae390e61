#include "bench/peaks.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "bench/clock.h"
#include "bench/machine.h"
#include "core/parallel.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/pack.h"
#include "vernier/tensor.h"

namespace vernier {
namespace {

constexpr int kChunks = 8;  // the best of them is the peak
constexpr double kChunkMs = 20;

// Sizes at which a panel, the rows and their sums lie in the second-level cache together.
constexpr int64_t kRows = 96;
constexpr int64_t kDepth = 256;

// One worker's operands.
struct Product {
  Product(const GemmKernel& kernel, Isa isa, DType dtype)
      : layout(PackedLayoutFor(isa, dtype, kernel.panel_columns, kDepth)),
        a(dtype, {kRows, layout.padded_k()}),
        b(DType::kU8, {static_cast<int64_t>(layout.bytes())}),
        sums(DType::kF32, {kRows, kernel.panel_columns}) {
    // Half in both types: 0x3F000000 and 0x3F00. Sums stay far from infinity and from denormals.
    Fill(a, dtype);
    Fill(b, dtype);
  }

  static void Fill(Tensor& tensor, DType dtype) {
    if (dtype == DType::kF32) {
      std::fill_n(static_cast<float*>(tensor.data()), tensor.bytes() / sizeof(float), 0.5f);
    } else {
      constexpr uint16_t kHalf = 0x3F00;
      std::fill_n(static_cast<uint16_t*>(tensor.data()), tensor.bytes() / sizeof(uint16_t), kHalf);
    }
  }

  void Multiply(const GemmKernel& kernel) {
    kernel.multiply({.rows = kRows,
                     .k = layout.padded_k(),
                     .a = a.data(),
                     .a_stride = layout.padded_k(),
                     .b = b.data(),
                     .sums = static_cast<float*>(sums.data())});
  }

  double flops() const { return 2.0 * kRows * static_cast<double>(kDepth * layout.panel_columns); }

  PackedLayout layout;
  Tensor a, b, sums;
};

// Units of `unit_work` that all workers finish per millisecond.
template <typename Work>
double Rate(int threads, const Work& work) {
  std::atomic<int64_t> done = 0;
  const double start_ms = SteadyClock().NowMs();
  ParallelWorkers(threads, [&](int worker) {
    while (SteadyClock().NowMs() - start_ms < kChunkMs) {
      work(worker);
      ++done;
    }
  });
  return static_cast<double>(done) / (SteadyClock().NowMs() - start_ms);
}

template <typename Measure>
double BestOfChunks(const Measure& measure) {
  double best = 0;
  for (int chunk = 0; chunk < kChunks; ++chunk) best = std::max(best, measure());
  return best;
}

double MeasureGflops(int threads, Isa isa, DType dtype) {
  const GemmKernel kernel = SelectGemm(isa, dtype, dtype);
  std::vector<Product> products;
  for (int i = 0; i < threads; ++i) products.emplace_back(kernel, isa, dtype);
  constexpr int kRepeats = 16;  // so that reading the clock does not count
  const double rate = BestOfChunks([&] {
    return Rate(threads, [&](int worker) {
      for (int i = 0; i < kRepeats; ++i) products[static_cast<size_t>(worker)].Multiply(kernel);
    });
  });
  return rate * kRepeats * products[0].flops() / 1e6;
}

// Eight sums, so that additions do not wait for each other.
uint64_t SumOf(const uint64_t* words, int64_t count) {
  uint64_t sums[8] = {};
  for (int64_t i = 0; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) sums[lane] += words[i + lane];
  }
  uint64_t sum = 0;
  for (uint64_t part : sums) sum += part;
  return sum;
}

}  // namespace

// Small pages are read up to a quarter slower. So many times the last-level cache that it cannot
// hold much of a walk until the next.
MemoryReader::MemoryReader(int threads) : threads_(threads), next_(static_cast<size_t>(threads)) {
  constexpr int64_t kCaches = 16;
  constexpr int64_t kLeastBytes = int64_t{64} << 20;
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  constexpr int64_t kMostBlockWords = 1 << 17;  // 1 MiB
  const Machine machine = ReadMachine();
  const int64_t wanted = std::clamp(kCaches * machine.l3_bytes, kLeastBytes, kMostBytes);
  const int64_t spare = std::max(machine.available_memory_bytes / 4, kLeastBytes);
  memory_ = Tensor(DType::kU8, {std::min(wanted, spare)});
  std::ranges::fill(memory_.as<uint8_t>(), uint8_t{1});
  words_ = static_cast<int64_t>(memory_.bytes() / sizeof(uint64_t)) / threads;
  block_words_ = std::min(kMostBlockWords, words_);
}

// Each worker walks through its own part, a block at a time.
double MemoryReader::GbPerSecond() {
  const int64_t blocks = words_ / block_words_;
  std::atomic<uint64_t> sink = 0;  // what nobody reads need not be computed
  const double rate = Rate(threads_, [&](int worker) {
    int64_t& block = next_[static_cast<size_t>(worker)].block;
    const auto* base = static_cast<const uint64_t*>(memory_.data()) + worker * words_;
    sink += SumOf(base + block * block_words_, block_words_);
    block = (block + 1) % blocks;
  });
  return rate * static_cast<double>(block_words_) * sizeof(uint64_t) / 1e6;
}

Peaks MeasurePeaks(int threads, Isa isa) {
  MemoryReader memory(threads);
  return {.threads = threads,
          .isa = Name(isa),
          .f32_gflops = MeasureGflops(threads, isa, DType::kF32),
          .bf16_gflops = MeasureGflops(threads, isa, DType::kBF16),
          .gb_per_s = BestOfChunks([&] { return memory.GbPerSecond(); })};
}

void WriteJson(const Peaks& peaks, JsonWriter& json) {
  json.BeginObject()
      .Field("threads", peaks.threads)
      .Field("isa", peaks.isa)
      .Field("f32_gflops", peaks.f32_gflops)
      .Field("bf16_gflops", peaks.bf16_gflops)
      .Field("gb_per_s", peaks.gb_per_s)
      .EndObject();
}

}  // namespace vernier
