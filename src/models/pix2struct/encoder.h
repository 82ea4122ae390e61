// Pix2Struct's encoder as a graph. Node names are the module paths of the published checkpoint, the
// same in transformers 4 and 5. Specification: docs/guide/pix2struct.md.
#pragma once

#include "graph/graph.h"
#include "models/pix2struct/config.h"

namespace vernier {

/// Inputs flattened_patches [batch, patches, 2 + patch_width] (row id, column id, pixels; ids count
/// from 1, padding rows are zero) and attention_mask [batch, patches] (1: a patch, 0: padding);
/// output encoder_last_hidden_state [batch, patches, hidden]. Rows of padding hold what the
/// published model computes there; no other row depends on them.
Graph Pix2StructEncoderGraph(const Pix2StructConfig& config);

}  // namespace vernier
