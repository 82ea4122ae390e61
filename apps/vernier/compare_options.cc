#include "compare_options.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "core/interrupt.h"
#include "vernier/error.h"

namespace vernier {
namespace {

[[noreturn]] void RefuseTolerance(const std::string& text) {
  throw Error(ErrorKind::kUsage,
              fmt::format("--tol '{}': expected [NAMES=]RTOL[,ATOL]", text.substr(0, 80)),
              "for example --tol 1e-3,1e-5 or --tol 'logits=1e-2'");
}

double NumberOf(std::string_view text, const std::string& whole) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0)) {
    RefuseTolerance(whole);
  }
  return value;
}

// With an empty pattern: of all tensors.
ToleranceRule ParseTolerance(const std::string& text) {
  ToleranceRule parsed;
  std::string_view numbers = text;
  if (const size_t equals = numbers.rfind('='); equals != std::string_view::npos) {
    parsed.pattern = numbers.substr(0, equals);
    if (parsed.pattern.empty()) RefuseTolerance(text);
    numbers.remove_prefix(equals + 1);
  }
  const size_t comma = numbers.find(',');
  parsed.tolerance.pair.rtol = NumberOf(numbers.substr(0, comma), text);
  if (comma != std::string_view::npos) {
    parsed.tolerance.pair.atol = NumberOf(numbers.substr(comma + 1), text);
    parsed.tolerance.atol_grows = false;
  }
  return parsed;
}

bool AsksForDivergence(const CompareVerbOptions& options) {
  return options.columns == "msaccucmp" || !options.json.empty() || options.columns == "all";
}

}  // namespace

namespace {

std::vector<Flag> FileFlags(CompareVerbOptions& options) {
  return {
      {.name = "REFERENCE",
       .metavar = "REFERENCE",
       .section = "Sides",
       .help =
           "What is right: a dump folder, a folder of .npy files, a msaccucmp tree, a results file "
           "(.json, .npy, .safetensors), a bundle of vernier record, or a setting to run, such as "
           "device=ref,dtype=f32.",
       .target = &options.first_side,
       .completion = Completion::kFile},
      {.name = "CANDIDATE",
       .metavar = "CANDIDATE",
       .section = "Sides",
       .help = "What is to be proved, of the same kinds; a bundle can only be a reference.",
       .target = &options.second_side,
       .completion = Completion::kFile},
      {.name = "--reference",
       .metavar = "SIDE",
       .section = "Sides",
       .help = "The reference, by name.",
       .target = &options.reference,
       .completion = Completion::kFile},
      {.name = "--candidate",
       .metavar = "SIDE",
       .section = "Sides",
       .help = "The candidate, by name.",
       .target = &options.candidate,
       .completion = Completion::kFile},
      {.name = "--gate",
       .metavar = "GATE",
       .section = "Gates",
       .help = "What must hold: [NAMES:]METRIC<=VALUE or >=, such as mre<=1%, logits:top1>=99% or "
               "'@layers:avg(mre)<10%'; = takes the bound that the metric can have; repeats.",
       .target = &options.gates,
       .default_text = "every value within its tolerance"},
      {.name = "--preset",
       .metavar = "NAME",
       .section = "Gates",
       .help = "The gates of a published protocol.",
       .target = &options.preset,
       .choices = {"vit", "pe", "pix2struct", "paddleocr_vl", "blendmask"}},
      {.name = "--tol",
       .metavar = "TOL",
       .section = "Gates",
       .help = "Tolerance [NAMES=]RTOL[,ATOL] of `within`: |x-r| <= ATOL + RTOL |r|; repeats, the "
               "last that matches a name counts. Where no ATOL is given it is 1e-5, times the root "
               "mean square of r in the tensor where that is above 1.",
       .target = &options.tolerances,
       .default_text = "1e-3"},
      {.name = "--scope",
       .metavar = "SCOPE",
       .section = "Gates",
       .help =
           "What a pass claims: the numbers alone, or the task, which wants trained weights and "
           "real inputs.",
       .target = &options.scope,
       .choices = {"numerics", "task"}},
      {.name = "--same-kernels",
       .metavar = "",
       .section = "Gates",
       .help = "The same kernels on both sides are meant, as in a check against an older run.",
       .target = &options.same_kernels},
      {.name = "--map",
       .metavar = "A=B",
       .section = "Pairing",
       .help = "The reference's A is the candidate's B; each * in A fills one in B: 'vit.*=*'; "
               "repeats.",
       .target = &options.maps},
      {.name = "--pair-by-shape",
       .metavar = "",
       .section = "Pairing",
       .help = "Pair what has no common name by shape and order.",
       .target = &options.pair_by_shape},
      {.name = "--filter",
       .metavar = "GLOB",
       .section = "Pairing",
       .help = "Compare only tensors of such names; repeats.",
       .target = &options.filters},
      {.name = "--top",
       .metavar = "N",
       .section = "Output",
       .help = "Tensors to show, worst first; 0 shows all, in the order of the run.",
       .target = &options.top,
       .unit = "tensors",
       .least = 0},
      {.name = "--columns",
       .metavar = "SET",
       .section = "Output",
       .help = "Figures of the table: the usual ones, all, or those of Ascend's msaccucmp as CSV.",
       .target = &options.columns,
       .choices = {"plain", "all", "msaccucmp"}},
      {.name = "--json",
       .metavar = "FILE",
       .section = "Output",
       .help = "Write everything as JSON; - is standard output.",
       .target = &options.json,
       .completion = Completion::kFile,
       .writes = true}};
}

std::vector<Flag> RunningFlags(CompareVerbOptions& options) {
  return {
      {.name = "--precision-file",
       .metavar = "FILE",
       .section = "Running",
       .help = "Which of the candidate's nodes compute at which numbers, by name.",
       .target = &options.precision_file,
       .completion = Completion::kFile},
      {.name = "--no-cache",
       .metavar = "",
       .section = "Running",
       .help = "Compute the values of device=ref anew, and keep none.",
       .target = &options.no_cache},
      {.name = "--bisect",
       .metavar = "FILE",
       .section = "Running",
       .help = "Find the smallest set of nodes that must stay in f32 for the candidate to pass, "
               "and write it as a precision file.",
       .target = &options.bisect,
       .completion = Completion::kFile,
       .writes = true},
      {.name = "--self",
       .metavar = "",
       .section = "Running",
       .help = "Compare the candidate with itself: rows, batches, padding, threads, cold and "
               "warm, 50 repeats; no reference is needed.",
       .target = &options.self}};
}

}  // namespace

std::vector<Flag> CompareFlags(CompareVerbOptions& options) {
  std::vector<Flag> flags = FileFlags(options);
  for (const std::vector<Flag>& more : {ProofFlagTable(options.proof), RunningFlags(options)}) {
    flags.insert(flags.end(), more.begin(), more.end());
  }
  return flags;
}

void ResolveSides(CompareVerbOptions& options) {
  std::vector<std::string> words;
  for (std::string* word : {&options.first_side, &options.second_side}) {
    if (!word->empty()) words.push_back(std::move(*word));
    word->clear();
  }
  for (std::string* side : {&options.reference, &options.candidate}) {
    if (!side->empty()) continue;
    if (words.empty()) {
      throw Error(ErrorKind::kUsage,
                  side == &options.reference ? "REFERENCE is missing" : "CANDIDATE is missing",
                  "vernier compare REFERENCE CANDIDATE");
    }
    *side = std::move(words.front());
    words.erase(words.begin());
  }
  if (!words.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' is a third side", words.front()),
                "vernier compare REFERENCE CANDIDATE");
  }
}

CompareOptions ToCompareOptions(const CompareVerbOptions& options) {
  CompareOptions compare{.filters = options.filters,
                         .divergence = AsksForDivergence(options),
                         .cancel = &InterruptFlag()};
  for (const std::string& gate : options.gates) {
    compare.divergence |= ParseGate(gate).metric == "kl";
  }
  compare.pairing.by_shape = options.pair_by_shape;
  for (const std::string& map : options.maps) compare.pairing.maps.push_back(NameMap::Parse(map));
  for (const std::string& text : options.tolerances) {
    ToleranceRule parsed = ParseTolerance(text);
    if (parsed.pattern.empty()) {
      compare.tolerances.of_all = parsed.tolerance;
    } else {
      compare.tolerances.rules.push_back(std::move(parsed));
    }
  }
  return compare;
}

JudgeOptions ToJudgeOptions(const CompareVerbOptions& options) {
  JudgeOptions judge{.scope = options.scope, .same_kernels_expected = options.same_kernels};
  if (!options.preset.empty()) judge.gates = PresetGates(options.preset);
  for (const std::string& gate : options.gates) judge.gates.push_back(ParseGate(gate));
  return judge;
}

std::vector<std::string> CommandOf(const CompareVerbOptions& options) {
  CompareVerbOptions given = options;
  CompareVerbOptions defaults;
  const std::vector<Flag> flags = CompareFlags(given);
  const std::vector<Flag> default_flags = CompareFlags(defaults);
  std::vector<std::string> words = {"vernier", "compare"};
  for (size_t i = 0; i < flags.size(); ++i) {
    if (ValueText(flags[i]) == ValueText(default_flags[i])) continue;
    if (auto* list = std::get_if<std::vector<std::string>*>(&flags[i].target)) {
      for (const std::string& value : **list) {
        words.emplace_back(flags[i].name);
        words.push_back(value);
      }
      continue;
    }
    words.emplace_back(flags[i].name);
    if (!flags[i].IsSwitch()) words.push_back(ValueText(flags[i]));
  }
  return words;
}

}  // namespace vernier
