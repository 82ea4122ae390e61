#include "backends/plain.h"

#include "backends/ref/kernels.h"
#include "core/check.h"

namespace vernier {
namespace {

class PlainKernel final : public Kernel {
 public:
  PlainKernel(const OpDef& op, Attributes attributes, Extents extents, const char* provider)
      : op_(op),
        attributes_(std::move(attributes)),
        extents_(std::move(extents)),
        provider_(provider) {}

  void Run(const RunArgs& args) const override {
    FindRefKernel(op_)({.attributes = attributes_,
                        .inputs = args.inputs,
                        .outputs = args.outputs,
                        .extents = extents_,
                        .threads = args.threads,
                        .cancel = args.cancel});
  }

  KernelInfo info() const override { return {provider_, "", std::string("plain ") + op_.name}; }

 private:
  const OpDef& op_;
  Attributes attributes_;
  Extents extents_;
  const char* provider_;
};

class PlainNode final : public PreparedNode {
 public:
  PlainNode(const Node& node, const char* provider)
      : op_(*node.op), attributes_(node.attributes), provider_(provider) {}

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    for (const auto operands : {args.inputs, args.outputs}) {
      for (const TensorArg& operand : operands) VN_CHECK(!operand.channels_last(), op_.name);
    }
    return std::make_unique<PlainKernel>(op_, attributes_, args.extents, provider_);
  }

 private:
  const OpDef& op_;
  Attributes attributes_;
  const char* provider_;
};

}  // namespace

std::unique_ptr<PreparedNode> PreparePlain(const Node& node, const char* provider) {
  VN_CHECK(FindRefKernel(*node.op) != nullptr, node.op->name);
  return std::make_unique<PlainNode>(node, provider);
}

}  // namespace vernier
