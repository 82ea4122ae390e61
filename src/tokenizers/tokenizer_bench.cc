// Encoding of the test corpus, line by line, on one thread. Bytes are those of the text.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tokenizers/tokenizer.h"

namespace vernier {
namespace {

const std::string kCorpus = VERNIER_TEST_DATA "/tokenizers/corpus";

void BM_Encode(benchmark::State& state, const std::string& name) {
  const auto tokenizer = LoadTokenizer(kCorpus + "/" + name);
  std::ifstream file(kCorpus + "/corpus.txt");
  std::vector<std::string> lines;
  int64_t bytes = 0;
  for (std::string line; std::getline(file, line); bytes += static_cast<int64_t>(line.size())) {
    lines.push_back(line);
  }
  for (auto _ : state) {
    for (const std::string& line : lines) benchmark::DoNotOptimize(tokenizer->Encode(line));
  }
  state.SetBytesProcessed(state.iterations() * bytes);
}
BENCHMARK_CAPTURE(BM_Encode, unigram, "unigram")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Encode, unigram_model, "unigram_model")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Encode, bpe, "bpe")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Encode, bpe_model, "bpe_model")->Unit(benchmark::kMillisecond);

// One word of a megabyte: what would show a quadratic step.
void BM_EncodeLongWord(benchmark::State& state, const std::string& name) {
  const auto tokenizer = LoadTokenizer(kCorpus + "/" + name);
  std::string word;
  while (word.size() < static_cast<size_t>(state.range(0))) word += "recognisable";
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer->Encode(word));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(word.size()));
}
BENCHMARK_CAPTURE(BM_EncodeLongWord, unigram, "unigram")->Arg(1 << 14)->Arg(1 << 20);
BENCHMARK_CAPTURE(BM_EncodeLongWord, bpe, "bpe")->Arg(1 << 14)->Arg(1 << 20);

}  // namespace
}  // namespace vernier
