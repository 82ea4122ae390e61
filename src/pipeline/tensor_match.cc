#include "pipeline/tensor_match.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "pipeline/random_weights.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::span<const int64_t> WithoutLeadingOnes(const Shape& shape) {
  std::span<const int64_t> dims = shape.dims();
  while (!dims.empty() && dims.front() == 1) dims = dims.subspan(1);
  return dims;
}

}  // namespace

bool SameButForLeadingOnes(const Shape& a, const Shape& b) {
  return std::ranges::equal(WithoutLeadingOnes(a), WithoutLeadingOnes(b));
}

MatchReport MatchWeights(const Graph& graph, const CanonicalTensors& tensors) {
  const Graph* const only[] = {&graph};
  return MatchWeights(only, tensors);
}

MatchReport MatchWeights(std::span<const Graph* const> graphs, const CanonicalTensors& tensors,
                         std::span<const CheckpointFile> files) {
  MatchReport report;
  std::set<std::string, std::less<>> used;
  for (const Graph* graph : graphs) {
    for (int id : graph->weights()) {
      const ValueInfo& weight = graph->value(id);
      if (!used.insert(weight.name).second) continue;
      const auto found = tensors.find(weight.name);
      if (found == tensors.end()) {
        report.missing.push_back(weight.name);
        continue;
      }
      const Shape expected = WeightShape(weight);
      if (SameButForLeadingOnes(expected, found->second->shape)) continue;
      const CheckpointTensor& tensor = *found->second;
      const std::string file =
          files.size() > 1 ? fmt::format(" in {}", files[tensor.file].path) : "";
      report.mismatched.push_back(fmt::format("{}: expected {}, found {}{}", tensor.name,
                                              expected.ToString(), tensor.shape.ToString(), file));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!used.contains(name)) report.extra.push_back(tensor->name);
  }
  return report;
}

void RequireComplete(const MatchReport& report, const std::string& where) {
  if (report.missing.empty() && report.mismatched.empty()) return;
  std::vector<std::string> faults;
  if (!report.missing.empty()) {
    faults.push_back(fmt::format("missing {} tensor{}: {}", report.missing.size(),
                                 report.missing.size() == 1 ? "" : "s", Shortened(report.missing)));
  }
  if (!report.mismatched.empty()) {
    faults.push_back(fmt::format("wrong shape: {}", Shortened(report.mismatched)));
  }
  if (!report.extra.empty()) {
    faults.push_back(fmt::format("not known: {}", Shortened(report.extra)));
  }
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", where, fmt::join(faults, "; ")),
              "the checkpoint does not fit its config.json, or belongs to another model");
}

std::string Shortened(std::span<const std::string> names, size_t most) {
  if (names.size() <= most) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(names.first(most), ", "), names.size() - most);
}

}  // namespace vernier
