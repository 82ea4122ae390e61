// One tensor, several published spellings. A dialect is a list of rewritings of whole parts of a
// dotted name; the same list serves the loader (to canonical) and dumps (aliases). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace vernier {

struct NameRule {
  std::string_view canonical;
  std::string_view dialect;
};

/// `name` with each rule's left side, where it stands between dots or ends, replaced by its right
/// side; rules apply in their order.
std::string ToDialect(std::string_view name, std::span<const NameRule> rules);
std::string ToCanonical(std::string_view name, std::span<const NameRule> rules);

/// Gives every result and weight whose name the rules change its other spelling as an alias.
void AddDialectAliases(Graph& graph, std::span<const NameRule> rules);

/// Some modules' output is the tensor of another, their last child or the block around them. These
/// give such tensors the names of all their modules, in both published spellings. For complete
/// graphs.
void AddVitModuleAliases(Graph& graph, int64_t layers);
void AddPeModuleAliases(Graph& graph, int64_t layers);
void AddPix2StructEncoderModuleAliases(Graph& graph, int64_t layers);

/// PaddleOCR-VL's names, of the vision graph or a decoder's: transformers 5's modules beside the
/// published ones, short ones such as vision/layer.0 and text/norm for results, and modules that
/// end in another's tensor.
void AddPaddleOcrVlAliases(Graph& graph);
/// The published name of a PaddleOCR-VL tensor from either spelling.
std::string PublishedPaddleOcrVlName(std::string_view name);

/// transformers 5 module names of ViT; canonical are those of transformers 4 without "vit.".
std::span<const NameRule> VitNameRules();
/// timm's names of the Perception Encoder; canonical are Meta's.
std::span<const NameRule> PeNameRules();

}  // namespace vernier
