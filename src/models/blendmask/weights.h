// What a BlendMask checkpoint holds besides the network's weights, and what it says about the
// network: whether it is the one that the configuration describes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "models/blendmask/config.h"
#include "vernier/tensor.h"

namespace vernier {

/// Tensors that published checkpoints have and inference never reads: counters of batch norms, the
/// head of a training loss, and projections of DLA's outer trees.
bool IsUnusedByBlendMask(std::string_view tensor);

/// Shape of a tensor by its name, absent when there is none.
using BlendMaskShapeOf = std::function<std::optional<Shape>(const std::string&)>;

/// Throws Error{kInput} that says what the checkpoint is instead: one with a panoptic head or
/// deformable convolutions, of another norm, or of another number of classes.
void RequireBlendMaskTensors(const BlendMaskConfig& config, const BlendMaskShapeOf& shape_of,
                             const std::string& where);

}  // namespace vernier
