// Reorder on the CPU.
#include "backends/cpu/nodes.h"
#include "backends/reorder.h"

namespace vernier {
namespace {

class ReorderKernel final : public Kernel {
 public:
  void Run(const RunArgs& args) const override {
    CopyElements(args.inputs[0], args.outputs[0], args.threads);
  }

  KernelInfo info() const override { return {"vernier", "", "reorder"}; }
};

class ReorderNode final : public PreparedNode {
 public:
  std::unique_ptr<Kernel> Bind(const BindArgs&) const override {
    return std::make_unique<ReorderKernel>();
  }
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareReorder() { return std::make_unique<ReorderNode>(); }

}  // namespace vernier
