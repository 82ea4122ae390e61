// Taps: how a value of the original model can be seen in the running plan, and where it goes.
#pragma once

#include <string>
#include <vector>

#include "backends/backend.h"
#include "graph/graph.h"
#include "vernier/tensor.h"

namespace vernier {

enum class TapKind {
  kExact,       // a step's own output (or an input)
  kView,        // part of a step's output, or its bytes under another shape
  kRecomputed,  // this node alone, unfused, by its reference from exact values
  kAbsent,      // cannot be seen; `reason` says why
};

const char* Name(TapKind kind);

/// How one value of the original graph is found in a program.
struct Provenance {
  TapKind kind = TapKind::kAbsent;
  std::string reason;  // for kAbsent
};

struct TapRecord {
  std::string name;
  std::vector<std::string> aliases;
  TapKind kind = TapKind::kAbsent;
  std::string op;  // of the node that defines the value; "input" for inputs
  std::string device;
  KernelInfo kernel;  // what ran the step; the reference for recomputed taps
};

/// Receives tapped values as they are computed, in f32 (or their integer type). Called from one
/// thread at a time. The view is valid during the call.
class TapSink {
 public:
  virtual ~TapSink() = default;
  virtual bool Wants(const ValueInfo& value) const = 0;
  virtual void Take(const TapRecord& record, const TensorView& tensor) = 0;
};

}  // namespace vernier
