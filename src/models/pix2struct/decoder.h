// The decoder of Pix2Struct as graphs: what reads a picture's memory once, and what reads tokens.
// Keys and values are states, `decoder.layer.{i}.self_attention.cache` of the sequences and
// `decoder.layer.{i}.encoder_decoder_attention.cache` of the pictures.
#pragma once

#include "graph/graph.h"
#include "models/logits_at.h"
#include "models/pix2struct/config.h"

namespace vernier {

/// input: encoder_hidden_states [pictures, patches, hidden]. Appends every layer's cross keys and
/// values to the pictures' caches of `patch_capacity` tokens; no output.
Graph Pix2StructMemoryGraph(const Pix2StructConfig& config);

/// inputs: decoder_input_ids [sequences, new_tokens] (i32), picture_of_sequence [sequences] (i32).
/// Appends to the sequences' caches of `cache_capacity` tokens; output: logits. `sequences` is a
/// runtime symbol: one plan serves as many sequences as are alive.
Graph Pix2StructDecoderGraph(const Pix2StructConfig& config, LogitsAt logits);

}  // namespace vernier
