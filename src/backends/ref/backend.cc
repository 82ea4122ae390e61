#include "backends/ref/backend.h"

#include "backends/plain.h"
#include "backends/ref/kernels.h"

namespace vernier {
namespace {

class Ref final : public Backend {
 public:
  const char* name() const override { return "ref"; }

  Support CanRun(const Graph&, const Node& node) const override {
    if (FindRefKernel(*node.op) != nullptr) return {};
    return {false, std::string("ref has no ") + node.op->name};
  }

  std::unique_ptr<PreparedNode> Prepare(const PrepareArgs& args) const override {
    return PreparePlain(args.node, "ref");
  }

  bool CanEmit(const Graph&, const Node&, DType dtype) const override {
    return dtype == DType::kF32;
  }

  MapSupport Maps(const Graph&, const Node&) const override { return MapSupport::kRowMajor; }

  std::vector<std::string> passes() const override { return {"drop_unused"}; }
};

}  // namespace

const Backend& RefBackend() {
  static const Ref backend;
  return backend;
}

}  // namespace vernier
