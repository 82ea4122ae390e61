// What a comparison found: plain data, filled by whoever compares (two folders, two settings in
// lockstep), judged by gates, drawn by the command and written as JSON for reports.
// docs/reference/compare-json.md documents the JSON; its version is kComparisonSchema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics/row_metrics.h"
#include "metrics/verdict.h"
#include "verify/tolerance.h"
#include "vernier/tensor.h"

namespace vernier {

inline constexpr int kComparisonSchema = 1;

/// One side's tensor.
struct ComparedTensor {
  std::string name;  // as this side spells it
  std::string file = {};
  Shape shape = {};
  DType dtype = DType::kF32;
  std::string tap = {};     // "exact", "view", "recomputed"; empty where a side does not say
  std::string kernel = {};  // what computed it; empty where a side does not say
};

/// Error of one step alone, fed with the reference's inputs.
struct OwnError {
  /// "isolated": all inputs were the reference's values. "regional": the reference lacks one, which
  /// was computed from the nearest that it has.
  std::string kind;
  std::string since = {};  // regional: the values it starts from
  /// For a value inside a fused step, which was recomputed from the reference's values by its own
  /// node alone: the value that the step gives. Empty for what a step gives itself.
  std::string inside = {};
  TensorMetrics metrics;
};

struct TensorComparison {
  std::string name;  // the reference's spelling
  std::vector<std::string> aliases = {};
  std::string op = {};
  int64_t order = -1;          // place in the run; -1 where neither side says
  bool preprocessing = false;  // an input that the processor made: layer 0
  bool output = false;
  ComparedTensor reference;
  ComparedTensor candidate;
  std::string paired_by;        // "name", "alias", "rule A=B", "shape"
  std::string transposed = {};  // "candidate transposed by (0, 3, 1, 2), NHWC to NCHW"
  std::vector<std::string> notes = {};
  /// Why nothing was measured ("shapes differ: …"); empty where something was.
  std::string not_compared = {};
  PairTolerance tolerance = {};    // that `within` was counted with
  TensorMetrics accumulated = {};  // of the runs as they are
  std::optional<RowMetrics> rows = {};
  std::optional<OwnError> own = {};
};

/// What one picture or prompt gave on both sides, of two results files.
struct TextComparison {
  std::string item;
  std::string reference;
  std::string candidate;
  double rouge_l = 0;
  double edit_distance = 0;  // normalised: 0 equal, 1 nothing in common
};

struct UnpairedTensor {
  std::string name;
  Shape shape = {};
  std::string reason = {};  // "no tensor of the candidate has this name"
};

/// Where one side came from.
struct ComparedSide {
  std::string kind;    // "dump", "npy folder", "msaccucmp folder", "results", "setting", "bundle"
  std::string source;  // path, or the setting's words
  int64_t tensors = 0;
  std::string model = {};
  std::string family = {};
  std::string checkpoint_sha256 = {};
  std::string device = {};  // empty where the side does not say
  std::string dtype = {};
  std::vector<std::string> kernels = {};  // "provider:isa:kernel", each once
  std::string processor = {};
  std::string version = {};
  std::string sha256 = {};  // of the manifest or the results file
  bool random_head = false;
  bool random_weights = false;
  bool random_inputs = false;
  std::vector<std::pair<std::string, std::string>> facts = {};  // anything else worth quoting
};

struct GateResult {
  std::string gate;    // as written: "logits:mre<=1%"
  std::string metric;  // "mre"
  VerdictKind outcome = VerdictKind::kPassed;
  double threshold = 0;
  double value = kNoFigure;  // the worst over the tensors it covers, or the mean where it says so
  std::string tensor = {};   // where that is
  int64_t tensors = 0;       // tensors that it covers
  int64_t over = 0;          // of them, those that miss it
  /// 95 % interval of a share that comes from counted samples.
  std::optional<std::pair<double, double>> interval = {};
  std::string note = {};  // one sentence
};

/// Where the error comes from, by name; empty where there is nothing to blame.
struct Culprits {
  std::string first_over_gate = {};
  std::string most_own_error = {};
  std::string amplified_at = {};
  /// "isolated" where steps were run alone, "growth" where it is read off the accumulated error.
  std::string evidence = {};
  std::vector<std::string> sentences = {};
};

struct Verdict {
  VerdictKind kind = VerdictKind::kPassed;
  std::string scope = "numerics";  // or "task"
  std::vector<std::string> reasons = {};
  std::string would_pass = {};  // for a failure: "--gate 'mre<=1.3%'"
  std::vector<std::string> not_tested = {};
  Culprits culprits = {};
};

struct Comparison {
  ComparedSide reference;
  ComparedSide candidate;
  Tolerance tolerance = {};                    // of the tensors without a rule of their own
  std::vector<TensorComparison> tensors = {};  // in the order of the run
  std::vector<TextComparison> texts = {};      // of results files
  std::vector<UnpairedTensor> only_reference = {};
  std::vector<UnpairedTensor> only_candidate = {};
  std::vector<GateResult> gates = {};
  Verdict verdict = {};
  std::vector<std::string> notes = {};
  std::vector<std::string> left_out = {};  // parts of the model that nobody looked at, in words
  double seconds = 0;
  int64_t bytes_read = 0;
  std::vector<std::string> command = {};  // words, without the program's name
};

/// The documented JSON, indented, ending with a newline.
std::string ComparisonJson(const Comparison& comparison);

}  // namespace vernier
