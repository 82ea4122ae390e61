// Patchify on the CPU: the kernel cuts whole images, which are dealt out to the team.
#include "kernels/cpu/patchify.h"

#include "backends/cpu/nodes.h"
#include "core/parallel.h"
#include "ops/shape_ops.h"

namespace vernier {
namespace {

// The op's attributes; the kernel is a function of the same name.
using PatchSize = struct Patchify;

class PatchifyKernel final : public Kernel {
 public:
  explicit PatchifyKernel(const PatchSize& patch) : patch_(patch) {}

  void Run(const RunArgs& args) const override {
    const TensorArg &x = args.inputs[0], &y = args.outputs[0];
    const int64_t channels = x.shape[1], height = x.shape[2], width = x.shape[3];
    const int64_t tokens = y.shape[1];
    ParallelFor(args.threads, x.shape[0], 1, [&](int64_t begin, int64_t end) {
      Patchify(PatchifyArgs{
          .batch = end - begin,
          .channels = channels,
          .height = height,
          .width = width,
          .patch_height = patch_.patch_height,
          .patch_width = patch_.patch_width,
          .images = x.row<const float>(begin * channels * height),
          .image_stride = x.row_stride,
          .out = static_cast<char*>(y.data) +
                 begin * tokens * y.row_stride * static_cast<int64_t>(ByteSize(y.dtype)),
          .out_element = ElementOf(y.dtype),
          .out_stride = y.row_stride});
    });
  }

  KernelInfo info() const override { return {"vernier", "", "patchify"}; }

 private:
  PatchSize patch_;
};

class PatchifyNode final : public PreparedNode {
 public:
  explicit PatchifyNode(const PatchSize& patch) : patch_(patch) {}

  std::unique_ptr<Kernel> Bind(const BindArgs&) const override {
    return std::make_unique<PatchifyKernel>(patch_);
  }

 private:
  PatchSize patch_;
};

}  // namespace

std::unique_ptr<PreparedNode> PreparePatchify(const Node& node) {
  return std::make_unique<PatchifyNode>(node.attributes.get<PatchSize>());
}

}  // namespace vernier
