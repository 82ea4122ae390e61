#include "backends/cpu/backend.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/cpu/nodes.h"
#include "backends/plain.h"
#include "backends/ref/kernels.h"
#include "core/check.h"
#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/map_ops.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/shape_ops.h"

namespace vernier {
namespace {

// Ops whose kernels store bf16 as well as f32.
constexpr const OpDef* kHalfStores[] = {&kActivation,      &kConv2d,   &kFusedConv2d, &kAttention,
                                        &kCachedAttention, &kKvAppend, &kCast,        &kFusedLinear,
                                        &kLayerNorm,       &kPatchify, &kRmsNorm,     &kRope,
                                        &kRotaryAttention};

// A convolution by the checkpoint's weights; one by computed values runs by its reference.
bool IsPackable(const Graph& graph, const Node& node) {
  return node.op == &kConv2d &&
         std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](int input) {
           return input == kNoValue || graph.value(input).kind == ValueKind::kWeight;
         });
}

// A sum of two of one shape, or a product with one number: it goes by rows and columns, whatever
// they are.
bool IsPointwise(const Graph& graph, const Node& node) {
  const ValueType &a = graph.value(node.inputs[0]).type, &b = graph.value(node.inputs[1]).type;
  switch (node.attributes.get<Binary>().kind) {
    case BinaryKind::kAdd:
      return a.shape == b.shape;
    case BinaryKind::kMul:
      return b.rank() <= 1 && Product(b.shape) == Dim(1);
    default:
      return false;
  }
}

// Ops on maps whose kernels take either layout and store either type.
bool IsMapKernel(const Graph& graph, const Node& node) {
  constexpr const OpDef* kOps[] = {&kBatchNorm, &kFusedGroupNorm, &kGroupNorm,
                                   &kMaxPool2d, &kResizeAdd,      &kResizeMap};
  const int rank = graph.value(node.outputs[0]).type.rank();
  if (node.op == &kConcat) return rank == 4 && node.attributes.get<Concat>().axis == 1;
  return rank == 4 && std::ranges::count(kOps, node.op) > 0;
}

std::unique_ptr<PreparedNode> PrepareMapKernel(const Node& node, Isa isa) {
  if (node.op == &kConcat) return PrepareConcatMaps(isa);
  if (node.op == &kMaxPool2d) return PrepareMaxPool(node, isa);
  if (node.op == &kResizeMap || node.op == &kResizeAdd) return PrepareResizeMap(node, isa);
  return PrepareMapNorm(node, isa);
}

class CpuDevice final : public Backend {
 public:
  explicit CpuDevice(const CpuBackendOptions& options) : options_(options) {}

  const char* name() const override { return "cpu"; }

  Support CanRun(const Graph&, const Node& node) const override {
    constexpr const OpDef* kOwn[] = {&kFusedLinear, &kFusedConv2d, &kRotaryAttention, &kCast,
                                     &kReorder,     &kResizeAdd,   &kFusedGroupNorm};
    const bool own = std::ranges::count(kOwn, node.op) > 0;
    if (own || FindRefKernel(*node.op) != nullptr) return {};
    return {false, fmt::format("there is no CPU kernel for {}", node.op->name)};
  }

  std::unique_ptr<PreparedNode> Prepare(const PrepareArgs& args) const override {
    const Node& node = args.node;
    const Isa isa = options_.isa;
    if (node.op == &kFusedLinear) return PrepareFusedLinear(args, options_);
    if (node.op == &kFusedConv2d || IsPackable(args.graph, node))
      return PrepareConv(args, options_);
    if (node.op == &kRotaryAttention) return PrepareAttention(node, isa);
    if (node.op == &kAttention) return PrepareAttention(node, isa);
    if (node.op == &kKvAppend) return PrepareKvAppend();
    if (node.op == &kCachedAttention) return PrepareCachedAttention(node, isa);
    if (node.op == &kLayerNorm) return PrepareLayerNorm(node, isa);
    if (node.op == &kRmsNorm) return PrepareRmsNorm(node, isa);
    if (node.op == &kActivation) return PrepareActivation(node, isa);
    if (node.op == &kCast) return PrepareCast(isa);
    if (node.op == &kGather) return PrepareGather(args);
    if (node.op == &kPatchify) return PreparePatchify(node);
    if (node.op == &kReorder) return PrepareReorder();
    if (node.op == &kRope) return PrepareRope(node, isa);
    if (IsMapKernel(args.graph, node)) return PrepareMapKernel(node, isa);
    if (node.op == &kBinary) {
      if (auto prepared = PrepareBinary(args.graph, node, isa)) return prepared;
    }
    return PreparePlain(node, "vernier");
  }

  bool CanEmit(const Graph& graph, const Node& node, DType dtype) const override {
    if (dtype == DType::kF32) return true;
    if (node.op == &kConv2d && !IsPackable(graph, node)) return false;
    if (dtype == DType::kBF16 && IsMapKernel(graph, node)) return true;
    return dtype == DType::kBF16 && std::ranges::count(kHalfStores, node.op) > 0;
  }

  MapSupport Maps(const Graph& graph, const Node& node) const override {
    if (node.op == &kFusedConv2d || IsPackable(graph, node)) return MapSupport::kChannelsLast;
    if (node.op == &kActivation || node.op == &kCast) return MapSupport::kAlike;
    if (node.op == &kBinary && IsPointwise(graph, node)) return MapSupport::kAlike;
    if (IsMapKernel(graph, node)) return MapSupport::kAlike;
    return MapSupport::kRowMajor;
  }

  std::vector<std::string> passes() const override {
    return {"drop_unused",       "precision",  "fold_batch_norm",  "fuse_maps",
            "fuse_convolutions", "fuse_gates", "fuse_projections", "fuse_epilogue",
            "fuse_rotary",       "casts",      "layouts"};
  }

 private:
  CpuBackendOptions options_;
};

}  // namespace

Element ElementOf(DType dtype) {
  VN_CHECK(dtype == DType::kF32 || dtype == DType::kBF16, Name(dtype));
  return dtype == DType::kF32 ? Element::kF32 : Element::kBf16;
}

Activation KernelActivation(ActivationKind kind) {
  constexpr Activation kByKind[] = {
      Activation::kNone, Activation::kGeluErf, Activation::kGeluTanh, Activation::kQuickGelu,
      Activation::kRelu, Activation::kTanh,    Activation::kSilu};
  return kByKind[static_cast<size_t>(kind)];
}

std::unique_ptr<Backend> MakeCpuBackend(const CpuBackendOptions& options) {
  return std::make_unique<CpuDevice>(options);
}

}  // namespace vernier
