// The names that a PyTorch checkpoint may mention, and what they mean. Everything else is refused.
#pragma once

#include <optional>
#include <string_view>

#include "vernier/tensor.h"

namespace vernier {

/// Names are "module name", as in "torch FloatStorage".
bool IsAllowedTorchName(std::string_view name);

/// Element type of a typed storage; nothing for other names.
std::optional<DType> StorageType(std::string_view name);
bool IsUntypedStorage(std::string_view name);
/// Element type that "torch float32" and its like mean; nothing for types that tensors here lack.
std::optional<DType> TorchType(std::string_view name);

inline constexpr std::string_view kRebuildTensorV1 = "torch._utils _rebuild_tensor";
inline constexpr std::string_view kRebuildTensorV2 = "torch._utils _rebuild_tensor_v2";
inline constexpr std::string_view kRebuildTensorV3 = "torch._utils _rebuild_tensor_v3";
inline constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
inline constexpr std::string_view kRebuildParameterWithState =
    "torch._utils _rebuild_parameter_with_state";

}  // namespace vernier
