// Gates: what a comparison must hold, as a user writes it.
//
//   mre<=1%                 every tensor
//   logits:top1>=99%        tensors of that name; globs, several parted by commas
//   @layers:avg(mre)<10%    the mean over tensors; @inputs, @layers and @outputs are groups
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/comparison.h"

namespace vernier {

struct Gate {
  std::string text;                        // as written
  std::vector<std::string> patterns = {};  // globs and groups; empty: all tensors
  std::string metric;
  bool average = false;   // of the tensors, not the worst of them
  bool at_least = false;  // else at most
  bool strict = false;    // < or >
  double threshold = 0;
  bool preset = false;  // where nothing fits, it cannot be decided; a user's own is an error
};

/// Throws Error{kUsage} that names what is wrong with the text and what could be meant.
Gate ParseGate(std::string_view text);

struct GatePreset {
  std::string_view name;
  std::string_view protocol;  // whose it is, in one line
  std::vector<std::string_view> gates;
};
/// Published protocols, by family.
std::span<const GatePreset> GatePresets();
/// Throws Error{kUsage} with the list of names.
std::vector<Gate> PresetGates(std::string_view name);

/// Names of metrics that gates know, for help.
std::vector<std::string_view> GateMetrics();

/// Whether the gate speaks of the tensor.
bool Covers(const Gate& gate, const TensorComparison& tensor);
/// Whether the tensor alone keeps the gate; true where it lacks the gate's figure.
bool Keeps(const Gate& gate, const TensorComparison& tensor);

/// Throws Error{kUsage} when a user's gate names a tensor that neither side has.
GateResult JudgeGate(const Gate& gate, const Comparison& comparison);

/// The mildest form of a failed gate that holds: "mre<=1.32%".
std::string PassingGate(const Gate& gate, const GateResult& result);

}  // namespace vernier
