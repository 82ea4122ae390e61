// Which tensor of the reference is which of the candidate: by name, by alias, by the user's rules,
// and last by shape and order, which is proposed and used only when asked for.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "verify/name_map.h"
#include "verify/tensor_source.h"

namespace vernier {

struct PairingRules {
  std::vector<NameMap> maps = {};
  bool by_shape = false;
};

struct TensorPair {
  size_t reference = 0;
  size_t candidate = 0;
  std::string paired_by = {};  // "name", "alias", "rule A=B", "shape"
};

struct Pairing {
  std::vector<TensorPair> pairs = {};     // in the order of the reference
  std::vector<TensorPair> proposed = {};  // by shape and order, of what was left; not in `pairs`
  std::vector<UnpairedTensor> only_reference = {};
  std::vector<UnpairedTensor> only_candidate = {};
};

/// Throws Error{kUsage} for a rule that speaks of no tensor.
Pairing PairTensors(const TensorSource& reference, const TensorSource& candidate,
                    const PairingRules& rules);

/// For a pairing without pairs: throws Error{kInput} that shows names of both sides and says what
/// would pair them.
void CheckAnythingPaired(const Pairing& pairing, const TensorSource& reference,
                         const TensorSource& candidate);

}  // namespace vernier
