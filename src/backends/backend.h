// The contract between the runtime and a device. A backend says before a run whether it can run a
// node and why not; prepares nodes once per program (weights packed, no extents); binds them to
// extents (numbers, no memory); and the bound kernels run on operands that the executor looks up.
// Prepared nodes and kernels are immutable and shared by threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/tensor_arg.h"
#include "backends/weight_store.h"
#include "graph/graph.h"

namespace vernier {

/// What ran a node, for placement tables and manifests.
struct KernelInfo {
  std::string provider;  // "vernier", "onednn"
  std::string isa;       // "avx512", … or "" where the kernel is portable code
  std::string kernel;    // the kernel's own name
};

struct RunArgs {
  std::span<const TensorArg> inputs;  // an absent optional operand and a packed weight have no data
  std::span<const TensorArg> outputs;
  void* scratch = nullptr;  // at least scratch_bytes(), 64-byte aligned
  int threads = 1;
  const std::atomic<bool>* cancel = nullptr;  // set: long kernels return with unfinished results
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Run(const RunArgs& args) const = 0;
  virtual size_t scratch_bytes() const { return 0; }
  /// The input whose bytes the first output may take over, if both have the same extents and
  /// storage: the thread that writes an element is the last to read that of the input. -1: none.
  virtual int in_place_input() const { return -1; }
  /// Bytes of its own that bound the run by how fast they are read: each thread an equal part, in
  /// order, front to back. Empty: it has none.
  virtual std::span<const std::byte> streamed_bytes() const { return {}; }
  /// Whether a library within opens parallel regions of its own, which get no threads in a team.
  virtual bool opens_regions() const { return false; }
  virtual KernelInfo info() const = 0;
};

/// Extents and storage of a node's operands at bind time; `data` is null except for constants.
struct BindArgs {
  std::span<const TensorArg> inputs;
  std::span<const TensorArg> outputs;
  Extents extents;  // values of the bound symbols
  int threads = 1;
};

class PreparedNode {
 public:
  virtual ~PreparedNode() = default;
  virtual std::unique_ptr<Kernel> Bind(const BindArgs& args) const = 0;
  /// Inputs whose bytes the node keeps in a form of its own; the executor passes no data for them.
  virtual std::vector<int> owned_inputs() const { return {}; }
};

/// An expected answer, not an error: `why` is shown to the user.
struct Support {
  bool yes = true;
  std::string why;
};

struct PrepareArgs {
  const Graph& graph;
  const Node& node;
  WeightStore& weights;
  int threads = 1;  // for packing
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  virtual Support CanRun(const Graph& graph, const Node& node) const = 0;
  virtual std::unique_ptr<PreparedNode> Prepare(const PrepareArgs& args) const = 0;
  /// Whether this node's kernel can store its result as `dtype`, and read as `dtype` the operands
  /// that it multiplies or moves (the precision pass asks).
  virtual bool CanEmit(const Graph& graph, const Node& node, DType dtype) const = 0;
  /// What this node's kernel does with channels-last maps (the layout pass asks).
  virtual MapSupport Maps(const Graph& graph, const Node& node) const = 0;
  /// Names of the passes that this backend wants, in order.
  virtual std::vector<std::string> passes() const = 0;
};

}  // namespace vernier
