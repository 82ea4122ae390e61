#include "verify/self_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/json_writer.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

constexpr int64_t kBatch = 4;
constexpr int64_t kMorePatches = 5;  // of padding, at the end

using Rows = std::vector<int64_t>;

size_t RowBytes(const Tensor& tensor) {
  return tensor.shape()[0] == 0 ? 0 : tensor.bytes() / static_cast<size_t>(tensor.shape()[0]);
}

// The named rows of a tensor, in that order.
Tensor Taken(const Tensor& from, const Rows& rows) {
  Shape shape = from.shape();
  shape.Set(0, static_cast<int64_t>(rows.size()));
  Tensor taken(from.dtype(), shape);
  const size_t bytes = RowBytes(from);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(static_cast<char*>(taken.data()) + i * bytes,
                static_cast<const char*>(from.data()) + static_cast<size_t>(rows[i]) * bytes,
                bytes);
  }
  return taken;
}

NamedTensors Taken(const NamedTensors& from, const Rows& rows) {
  NamedTensors taken;
  for (const auto& [name, tensor] : from) taken.emplace(name, Taken(tensor, rows));
  return taken;
}

// Mixed rows, so that there are several different ones however few were given: row i is the given
// row i modulo their number, scaled a little.
NamedTensors DifferentRows(const NamedTensors& inputs) {
  Rows rows;
  const int64_t given = inputs.begin()->second.shape()[0];
  for (int64_t i = 0; i < kBatch; ++i) rows.push_back(i % given);
  NamedTensors mixed = Taken(inputs, rows);
  for (auto& [name, tensor] : mixed) {
    if (tensor.dtype() != DType::kF32 || name == "attention_mask") continue;
    const size_t width = tensor.as<float>().size() / static_cast<size_t>(kBatch);
    const auto last = static_cast<size_t>(tensor.shape()[tensor.shape().rank() - 1]);
    // A patch begins with its row and column.
    const size_t places = name == "flattened_patches" ? 2 : 0;
    for (size_t i = 0; i < tensor.as<float>().size(); ++i) {
      if (i % last < places) continue;
      tensor.as<float>()[i] *= 1.0f - 0.125f * static_cast<float>(i / width);
    }
  }
  return mixed;
}

bool IsPadded(const std::string& input) {
  return input == "attention_mask" || input == "flattened_patches";
}

// Appends empty patches, which the mask hides.
NamedTensors Padded(const NamedTensors& inputs) {
  NamedTensors padded;
  for (const auto& [name, tensor] : inputs) {
    if (!IsPadded(name)) {
      padded.emplace(name, Tensor::CopyOf(tensor.view()));
      continue;
    }
    const int64_t batch = tensor.shape()[0], patches = tensor.shape()[1];
    Shape shape = tensor.shape();
    shape.Set(1, patches + kMorePatches);
    Tensor longer = Tensor::Zeros(tensor.dtype(), shape);
    const size_t from = RowBytes(tensor), to = RowBytes(longer);
    for (int64_t row = 0; row < batch; ++row) {
      std::memcpy(static_cast<char*>(longer.data()) + static_cast<size_t>(row) * to,
                  static_cast<const char*>(tensor.data()) + static_cast<size_t>(row) * from, from);
    }
    padded.emplace(name, std::move(longer));
  }
  return padded;
}

// The first rows of the second axis, as many as `like` has.
Tensor Shortened(const Tensor& tensor, const Shape& like) {
  if (tensor.shape() == like || tensor.shape().rank() < 2) return Tensor::CopyOf(tensor.view());
  Tensor shorter(tensor.dtype(), like);
  const size_t from = RowBytes(tensor), to = RowBytes(shorter);
  for (int64_t row = 0; row < like[0]; ++row) {
    std::memcpy(static_cast<char*>(shorter.data()) + static_cast<size_t>(row) * to,
                static_cast<const char*>(tensor.data()) + static_cast<size_t>(row) * from, to);
  }
  return shorter;
}

bool SameBits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

double Apart(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) return std::numeric_limits<double>::infinity();
  double apart = 0, norm = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    const double x = a.as<float>()[i], y = b.as<float>()[i];
    apart += (x - y) * (x - y);
    norm += y * y;
  }
  if (std::isnan(apart)) return std::numeric_limits<double>::infinity();
  return apart == 0 ? 0 : std::sqrt(apart / norm);
}

class SelfChecker {
 public:
  SelfChecker(const SelfRunner& run, const NamedTensors& inputs, const SelfCheckOptions& options)
      : run_(run), inputs_(inputs), options_(options), batch_(DifferentRows(inputs)) {}

  std::vector<SelfCheck> Run() {
    plain_ = run_(batch_, {});
    IdenticalRows();
    PermutedRows();
    RowsAlone();
    Padding();
    Threads();
    ColdStart();
    Repeats();
    return std::move(checks_);
  }

 private:
  void Begin(const std::string& name) {
    checks_.push_back({.name = name, .sentence = ""});
    if (options_.progress) options_.progress(name);
  }

  NamedTensors Again(const NamedTensors& inputs, const SelfRun& how = {}) {
    ++checks_.back().runs;
    return run_(inputs, how);
  }

  // One observation of the check at hand.
  void Expect(const NamedTensors& found, const NamedTensors& expected, bool bitwise,
              const std::string& when) {
    SelfCheck& check = checks_.back();
    for (const auto& [name, tensor] : expected) {
      const Tensor& other = found.at(name);
      if (SameBits(other, tensor)) continue;
      const double apart = Apart(other, tensor);
      const bool over = bitwise || !(apart <= options_.bound);
      if (apart >= check.largest) {
        check.largest = apart;
        check.output = name;
      }
      if (over && check.outcome != VerdictKind::kFailed) {
        check.outcome = VerdictKind::kFailed;
        check.sentence = fmt::format("{} differs {}", name, when);
      }
    }
  }

  void End(bool bitwise) {
    SelfCheck& check = checks_.back();
    if (check.outcome == VerdictKind::kFailed) {
      check.sentence += fmt::format(" (relative difference up to {:.3g}{})", check.largest,
                                    bitwise ? ", promised to be none" : "");
    } else if (check.largest == 0) {
      check.sentence = "the same to the bit";
    } else {
      check.sentence =
          fmt::format("within rounding: relative difference up to {:.3g}, allowed {:.3g}",
                      check.largest, options_.bound);
    }
  }

  void IdenticalRows() {
    Begin("identical rows");
    const NamedTensors outputs = Again(Taken(batch_, {1, 1, 1, 1}));
    for (int64_t row = 1; row < kBatch; ++row) {
      Expect(Taken(outputs, {row}), Taken(outputs, {0}), options_.bitwise,
             fmt::format("between row 0 and row {}, which got the same input", row));
    }
    End(options_.bitwise);
  }

  void PermutedRows() {
    Begin("permuted rows");
    const Rows order = {2, 0, 3, 1};
    Expect(Again(Taken(batch_, order)), Taken(plain_, order), options_.bitwise,
           "when the rows come in another order");
    End(options_.bitwise);
  }

  void RowsAlone() {
    Begin("batch 1 against N");
    for (int64_t row = 0; row < kBatch; ++row) {
      Expect(Again(Taken(batch_, {row})), Taken(plain_, {row}), options_.bitwise,
             fmt::format("when row {} is alone", row));
    }
    End(options_.bitwise);
  }

  void Padding() {
    Begin("padding");
    if (!inputs_.contains("attention_mask") || !inputs_.contains("flattened_patches")) {
      checks_.back().outcome = VerdictKind::kInconclusive;
      checks_.back().sentence = "not checked: the model's inputs have no padding";
      return;
    }
    NamedTensors outputs = Again(Padded(batch_));
    NamedTensors shorter;
    for (const auto& [name, tensor] : outputs) {
      shorter.emplace(name, Shortened(tensor, plain_.at(name).shape()));
    }
    // Another number of patches cuts sums into other blocks.
    Expect(shorter, plain_, false, "when hidden patches follow");
    End(false);
  }

  void Threads() {
    Begin("thread counts");
    for (int threads : options_.threads) {
      Expect(Again(batch_, {.threads = threads}), plain_, options_.bitwise,
             fmt::format("with {} thread{}", threads, threads == 1 ? "" : "s"));
    }
    if (options_.threads.empty()) {
      checks_.back().outcome = VerdictKind::kInconclusive;
      checks_.back().sentence = "not checked: there is one thread only";
      return;
    }
    End(options_.bitwise);
  }

  void ColdStart() {
    Begin("cold against warm");
    Expect(Again(batch_, {.cold = true}), plain_, true, "in a first run after loading");
    End(true);
  }

  void Repeats() {
    Begin(fmt::format("{} repeats", options_.repeats));
    for (int i = 0; i < options_.repeats; ++i) {
      Expect(Again(batch_), plain_, true, fmt::format("in repeat {}", i + 1));
    }
    End(true);
  }

  const SelfRunner& run_;
  const NamedTensors& inputs_;
  const SelfCheckOptions& options_;
  NamedTensors batch_;
  NamedTensors plain_;
  std::vector<SelfCheck> checks_;
};

}  // namespace

std::vector<SelfCheck> CheckAgainstItself(const SelfRunner& run, const NamedTensors& inputs,
                                          const SelfCheckOptions& options) {
  if (inputs.empty() || inputs.begin()->second.shape()[0] < 1) {
    throw Error(ErrorKind::kUsage, "self-checks need an input of at least one row",
                "give --image FILE… or --input NAME=FILE.npy");
  }
  return SelfChecker(run, inputs, options).Run();
}

std::string SelfChecksJson(const std::vector<SelfCheck>& checks,
                           const std::vector<std::string>& command) {
  JsonWriter json;
  json.BeginObject()
      .Field("kind", "self_checks")
      .Field("schema", 1)
      .Field("version", Version())
      .Key("command")
      .Array(command)
      .Key("checks")
      .BeginArray();
  for (const SelfCheck& check : checks) {
    json.BeginObject()
        .Field("name", check.name)
        .Field("outcome", Name(check.outcome))
        .Field("runs", check.runs)
        .Field("largest", check.largest)
        .Field("output", check.output)
        .Field("sentence", check.sentence)
        .EndObject();
  }
  json.EndArray().EndObject();
  return json.Take();
}

}  // namespace vernier
