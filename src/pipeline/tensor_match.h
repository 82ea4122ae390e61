// Which stored tensor is which weight of a graph; what is missing, left over or mis-shaped, by
// name. A Match borrows the tensors' list. Pure.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "io/checkpoint.h"

namespace vernier {

/// Stored tensors by the model's canonical names.
using CanonicalTensors = std::map<std::string, const CheckpointTensor*, std::less<>>;

struct MatchReport {
  std::vector<std::string> missing;     // canonical names
  std::vector<std::string> extra;       // as stored
  std::vector<std::string> mismatched;  // "name: expected [2, 3], found [3, 2]"
};

/// Axes of length 1 in front do not count: code bases disagree on them.
bool SameButForLeadingOnes(const Shape& a, const Shape& b);

MatchReport MatchWeights(const Graph& graph, const CanonicalTensors& tensors);
/// What the graphs of one model need together. With the checkpoint's files, where there are
/// several, a mis-shaped tensor is listed with its own.
MatchReport MatchWeights(std::span<const Graph* const> graphs, const CanonicalTensors& tensors,
                         std::span<const CheckpointFile> files = {});

/// Throws Error{kInput} that lists missing and mis-shaped tensors of the checkpoint `where`;
/// left-over ones may explain missing ones and are listed too.
void RequireComplete(const MatchReport& report, const std::string& where);

/// "a, b, c and 12 more".
std::string Shortened(std::span<const std::string> names, size_t most = 5);

}  // namespace vernier
