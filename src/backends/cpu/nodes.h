// Prepared nodes of the CPU backend, one function per op family.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "backends/cpu/backend.h"
#include "kernels/cpu/element.h"
#include "kernels/cpu/gemm_abi.h"
#include "ops/elementwise.h"

namespace vernier {

std::unique_ptr<PreparedNode> PrepareFusedLinear(const PrepareArgs& args,
                                                 const CpuBackendOptions& options);
std::unique_ptr<PreparedNode> PrepareConv(const PrepareArgs& args,
                                          const CpuBackendOptions& options);
std::unique_ptr<PreparedNode> PrepareAttention(const Node& node, Isa isa);
/// GroupNorm with or without ReLU, and BatchNorm, of maps of rank 4 in either layout; so the next.
std::unique_ptr<PreparedNode> PrepareMapNorm(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareMaxPool(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareResizeMap(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareConcatMaps(Isa isa);
std::unique_ptr<PreparedNode> PrepareKvAppend();
std::unique_ptr<PreparedNode> PrepareCachedAttention(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareLayerNorm(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareRmsNorm(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareActivation(const Node& node, Isa isa);
std::unique_ptr<PreparedNode> PrepareCast(Isa isa);
std::unique_ptr<PreparedNode> PrepareGather(const PrepareArgs& args);
std::unique_ptr<PreparedNode> PreparePatchify(const Node& node);
std::unique_ptr<PreparedNode> PrepareReorder();
std::unique_ptr<PreparedNode> PrepareRope(const Node& node, Isa isa);
/// Sums over rows and products with one factor per channel; null for other broadcasts.
std::unique_ptr<PreparedNode> PrepareBinary(const Graph& graph, const Node& node, Isa isa);

/// The version that an instruction set selects: row kernels have none beyond AVX-512's.
inline Isa RowIsa(Isa isa) {
  return isa == Isa::kAvx512Bf16 || isa == Isa::kAmx ? Isa::kAvx512 : isa;
}

/// Storage type of an operand in the kernels' terms; throws on others than f32 and bf16.
Element ElementOf(DType dtype);

/// The kernels' name for an activation.
Activation KernelActivation(ActivationKind kind);

}  // namespace vernier
