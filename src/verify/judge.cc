#include "verify/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "verify/culprits.h"

namespace vernier {
namespace {

constexpr size_t kNamesShown = 3;

/// "'a', 'b' and 5 more".
std::string NameList(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(kNamesShown, names.size()); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text;
}

template <class Predicate>
std::vector<std::string> NamesWhere(const Comparison& comparison, const Predicate& predicate) {
  std::vector<std::string> names;
  for (const TensorComparison& tensor : comparison.tensors) {
    if (predicate(tensor)) names.push_back(tensor.name);
  }
  return names;
}

bool WasMeasured(const TensorComparison& tensor) {
  return tensor.not_compared.empty() && tensor.accumulated.elements > 0;
}

bool IsNanOnBothSides(const TensorComparison& tensor) {
  const TensorMetrics& m = tensor.accumulated;
  return WasMeasured(tensor) && m.reference.nan > 0 && m.candidate.nan > 0 &&
         m.reference.nan == m.candidate.nan;
}

bool IsNonFiniteOnOneSide(const TensorComparison& tensor) {
  return WasMeasured(tensor) && !tensor.accumulated.comparable() && !IsNanOnBothSides(tensor);
}

bool IsConstantOnBothSides(const TensorComparison& tensor) {
  const TensorMetrics& m = tensor.accumulated;
  return WasMeasured(tensor) && tensor.output && m.finite_pairs > 1 && m.reference_std == 0 &&
         m.candidate_std == 0;
}

void AddFailures(const Comparison& comparison, Verdict& verdict) {
  for (const GateResult& gate : comparison.gates) {
    if (gate.outcome != VerdictKind::kFailed) continue;
    verdict.reasons.push_back(fmt::format(
        "{}: {} has {:.6g}{}", gate.gate, gate.tensor.empty() ? "the mean" : gate.tensor,
        gate.value,
        gate.over > 1 ? fmt::format(" ({} of {} miss it)", gate.over, gate.tensors) : ""));
  }
  if (const auto names = NamesWhere(comparison, IsNonFiniteOnOneSide); !names.empty()) {
    verdict.reasons.push_back(
        fmt::format("NaN or infinity where the other side has none: {}", NameList(names)));
  }
  const auto not_compared = NamesWhere(
      comparison, [](const TensorComparison& tensor) { return !tensor.not_compared.empty(); });
  if (!not_compared.empty()) {
    verdict.reasons.push_back(
        fmt::format("shapes differ and no order of axes fits: {}", NameList(not_compared)));
  }
}

/// Whether both sides say what ran, and it is the same.
bool RanTheSame(const ComparedSide& a, const ComparedSide& b) {
  const std::set<std::string> left(a.kernels.begin(), a.kernels.end());
  const std::set<std::string> right(b.kernels.begin(), b.kernels.end());
  return !a.device.empty() && a.device == b.device && a.dtype == b.dtype && !left.empty() &&
         left == right;
}

void AddDoubts(const JudgeOptions& options, const Comparison& comparison, Verdict& verdict) {
  const auto doubt = [&](std::string reason) { verdict.reasons.push_back(std::move(reason)); };
  for (const GateResult& gate : comparison.gates) {
    if (gate.outcome == VerdictKind::kInconclusive) doubt(gate.gate + ": " + gate.note);
  }
  if (!options.same_kernels_expected && RanTheSame(comparison.reference, comparison.candidate)) {
    doubt(
        fmt::format("both sides ran the same kernels on the same device ({}, {}): that they agree "
                    "shows nothing about a port (--same-kernels where this is the question)",
                    comparison.reference.device, comparison.reference.dtype));
  }
  if (const auto names = NamesWhere(comparison, IsNanOnBothSides); !names.empty()) {
    doubt(fmt::format("NaN on both sides: {}", NameList(names)));
  }
  if (const auto names = NamesWhere(comparison, IsConstantOnBothSides); !names.empty()) {
    doubt(fmt::format("the same constant on both sides: {}", NameList(names)));
  }
  const bool measured = std::ranges::any_of(comparison.tensors, WasMeasured) ||
                        std::ranges::any_of(comparison.tensors, [](const TensorComparison& tensor) {
                          return tensor.rows.has_value();
                        });
  if (!measured && comparison.texts.empty()) doubt("no value was compared");
  if (options.scope != "task") return;
  for (const auto& [name, side] : {std::pair{"reference", &comparison.reference},
                                   std::pair{"candidate", &comparison.candidate}}) {
    if (side->random_head) doubt(fmt::format("task scope: the {}'s head was made up", name));
    if (side->random_weights) doubt(fmt::format("task scope: the {}'s weights are random", name));
    if (side->random_inputs) doubt(fmt::format("task scope: the {}'s inputs are random", name));
  }
  const bool outputs = !comparison.texts.empty() ||
                       std::ranges::any_of(comparison.tensors, &TensorComparison::output);
  if (!outputs) doubt("task scope: no output of the model was compared");
}

std::string TolerancesThatPass(const Comparison& comparison, std::span<const Gate> gates) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < gates.size(); ++i) {
    const GateResult& result = comparison.gates[i];
    if (result.outcome != VerdictKind::kFailed) continue;
    if (gates[i].metric == "within" && gates[i].threshold >= 1) {
      double atol = 0;
      for (const TensorComparison& tensor : comparison.tensors) {
        if (Covers(gates[i], tensor) && WasMeasured(tensor)) {
          atol = std::max(atol, tensor.accumulated.needed_atol);
        }
      }
      parts.push_back(
          fmt::format("--tol {:g},{:.4g}", comparison.tolerance.pair.rtol, atol * 1.0005));
    } else if (const std::string passing = PassingGate(gates[i], result); !passing.empty()) {
      parts.push_back(fmt::format("--gate '{}'", passing));
    }
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

std::vector<std::string> NotTested(const Comparison& comparison, const std::string& scope) {
  std::vector<std::string> list;
  const auto unpaired = [&](const std::vector<UnpairedTensor>& tensors, const char* side) {
    if (tensors.empty()) return;
    std::vector<std::string> names;
    for (const UnpairedTensor& tensor : tensors) names.push_back(tensor.name);
    list.push_back(
        fmt::format("{} on the {} only: {}",
                    names.size() == 1 ? "1 tensor is" : fmt::format("{} tensors are", names.size()),
                    side, NameList(names)));
  };
  unpaired(comparison.only_reference, "reference");
  unpaired(comparison.only_candidate, "candidate");
  const bool inputs = std::ranges::any_of(comparison.tensors, [](const TensorComparison& tensor) {
    return tensor.preprocessing && WasMeasured(tensor);
  });
  if (!inputs) list.push_back("preprocessing: no input tensor is on both sides");
  list.insert(list.end(), comparison.left_out.begin(), comparison.left_out.end());
  const auto recomputed = NamesWhere(comparison, [](const TensorComparison& tensor) {
    return tensor.candidate.tap == "recomputed";
  });
  if (!recomputed.empty()) {
    list.push_back(fmt::format("{} values inside fused steps, which were recomputed apart",
                               recomputed.size()));
  }
  for (const TensorComparison& tensor : comparison.tensors) {
    if (!tensor.output || tensor.reference.shape.rank() < 2) continue;
    list.push_back(fmt::format("other inputs than these {}", tensor.reference.shape[0]));
    break;
  }
  list.push_back(scope == "task" ? "correctness against ground truth (vernier eval)"
                                 : "the task: labels and texts may differ from the truth on both "
                                   "sides (vernier eval)");
  return list;
}

}  // namespace

void Judge(const JudgeOptions& options, Comparison& comparison) {
  std::vector<Gate> gates = options.gates;
  if (gates.empty()) gates.push_back(ParseGate("within>=100%"));
  comparison.gates.clear();
  for (const Gate& gate : gates) comparison.gates.push_back(JudgeGate(gate, comparison));
  Verdict verdict{.scope = options.scope};
  AddFailures(comparison, verdict);
  if (!verdict.reasons.empty()) {
    verdict.kind = VerdictKind::kFailed;
    verdict.would_pass = TolerancesThatPass(comparison, gates);
  } else {
    AddDoubts(options, comparison, verdict);
    if (!verdict.reasons.empty()) verdict.kind = VerdictKind::kInconclusive;
  }
  verdict.culprits = FindCulprits(comparison, gates);
  verdict.not_tested = NotTested(comparison, options.scope);
  comparison.verdict = std::move(verdict);
}

}  // namespace vernier
