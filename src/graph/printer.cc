#include "graph/printer.h"

#include <fmt/format.h>

namespace vernier {
namespace {

std::string OpText(const Node& node) {
  std::string text = node.op->name;
  if (node.op->describe != nullptr) text += "{" + node.op->describe(node.attributes) + "}";
  if (node.precision.multiply != DType::kF32 || node.precision.output != DType::kF32) {
    text += fmt::format(" <{}x{} -> {}>", Name(node.precision.multiply),
                        Name(node.precision.weight), Name(node.precision.output));
  }
  return text;
}

// Row-major goes without saying.
std::string LayoutText(const ValueInfo& value) {
  return value.layout == Layout::kRowMajor ? "" : fmt::format(" {}", Name(value.layout));
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? "\\n" : std::string(1, c);
  }
  return quoted + '"';
}

}  // namespace

std::string PrintText(const Graph& graph) {
  std::string text = fmt::format("graph {}\n", graph.name());
  for (int id : graph.inputs()) {
    const ValueInfo& input = graph.value(id);
    text += fmt::format("  input {} {}{}\n", input.name, Name(input.type.dtype),
                        ToString(input.type.shape));
  }
  for (const Node& node : graph.nodes()) {
    std::string inputs;
    for (int id : node.inputs) {
      if (!inputs.empty()) inputs += ", ";
      inputs += id == kNoValue ? "-" : graph.value(id).name;
    }
    const ValueInfo& result = graph.value(node.outputs.front());
    text += fmt::format("  {} = {}({}) : {}{}{}\n", result.name, OpText(node), inputs,
                        Name(result.type.dtype), ToString(result.type.shape), LayoutText(result));
  }
  for (const auto& output : graph.outputs()) {
    text += fmt::format("  output {} = {}\n", output.name, graph.value(output.value).name);
  }
  return text;
}

std::string PrintDot(const Graph& graph) {
  std::string text = fmt::format("digraph {} {{\n  node [shape=box];\n", Quoted(graph.name()));
  for (int id : graph.inputs()) {
    text += fmt::format("  v{} [label={}, shape=ellipse];\n", id, Quoted(graph.value(id).name));
  }
  for (const Node& node : graph.nodes()) {
    text += fmt::format("  n{} [label={}];\n", node.id, Quoted(node.name + "\n" + OpText(node)));
    for (int id : node.inputs) {
      if (id == kNoValue || graph.value(id).kind == ValueKind::kWeight) continue;
      const int producer = graph.value(id).producer;
      const std::string from = producer < 0 ? fmt::format("v{}", id) : fmt::format("n{}", producer);
      text += fmt::format("  {} -> n{} [label={}];\n", from, node.id,
                          Quoted(ToString(graph.value(id).type.shape)));
    }
  }
  return text + "}\n";
}

}  // namespace vernier
