#include "graph/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"

namespace vernier {

void Attributes::Require(std::type_index wanted) const {
  VN_CHECK(type_ == wanted, fmt::format("attributes are {}, not {}", type_.name(), wanted.name()));
}

const ValueType& Value::type() const { return graph->value(id).type; }

Path Path::operator/(std::string_view part) const {
  if (text_.empty()) return Path(std::string(part));
  const char* separator = part.starts_with('#') ? "" : ".";
  return Path(fmt::format("{}{}{}", text_, separator, part));
}

std::string Graph::UniqueName(std::string_view wanted) const {
  std::string name(wanted);
  for (int i = 2; names_.contains(name); ++i) name = fmt::format("{}#{}", wanted, i);
  return name;
}

int Graph::NewValue(ValueInfo info) {
  const int id = static_cast<int>(values_.size());
  info.name = UniqueName(info.name);
  names_.emplace(info.name, id);
  values_.push_back(std::move(info));
  return id;
}

Value Graph::Input(std::string_view name, DType dtype, Dims shape) {
  return {this, NewValue({.kind = ValueKind::kInput,
                          .type = {dtype, std::move(shape)},
                          .name = std::string(name)})};
}

Value Graph::Weight(const Path& path, const Shape& shape, const Shape& stored) {
  VN_CHECK(shape.elements() == stored.elements(), path.text());
  if (const auto found = names_.find(path.text()); found != names_.end()) {
    VN_CHECK(value(found->second).stored_shape == stored, path.text() + " declared twice");
    return {this, found->second};
  }
  Dims dims(shape.dims().begin(), shape.dims().end());
  return {this, NewValue({.kind = ValueKind::kWeight,
                          .type = {DType::kF32, std::move(dims)},
                          .name = path.text(),
                          .stored_shape = stored})};
}

Value Graph::State(std::string_view name, ValueType type) {
  return {
      this,
      NewValue({.kind = ValueKind::kState, .type = std::move(type), .name = std::string(name)})};
}

std::vector<Value> Graph::AddMany(const OpDef& op, Attributes attributes, std::vector<Value> inputs,
                                  const Path& at) {
  const int count = static_cast<int>(inputs.size());
  VN_CHECK(count >= op.min_inputs && count <= op.max_inputs,
           fmt::format("{} at {} takes {} to {} inputs, got {}", op.name, at.text(), op.min_inputs,
                       op.max_inputs, count));
  Node node{.id = next_node_id_++,
            .op = &op,
            .attributes = std::move(attributes),
            .name = at.text(),
            .branch = branch_};
  std::vector<ValueType> types;
  for (const Value& input : inputs) {
    VN_CHECK(!input.exists() || input.graph == this, at.text() + " reads a value of another graph");
    node.inputs.push_back(input.id);
    types.push_back(input.exists() ? input.type() : ValueType{});
  }
  std::vector<ValueType> results;
  try {
    results = op.infer(node.attributes, types);
  } catch (const Error& error) {
    throw error.WithContext(fmt::format("while building {} ({})", at.text(), op.name));
  }
  std::vector<Value> handles;
  for (size_t i = 0; i < results.size(); ++i) {
    const std::string name = i == 0 ? at.text() : fmt::format("{}#{}", at.text(), i);
    const int id = NewValue({.type = std::move(results[i]), .name = name, .producer = node.id});
    node.outputs.push_back(id);
    handles.push_back({this, id});
  }
  nodes_.push_back(std::move(node));
  return handles;
}

Value Graph::Add(const OpDef& op, Attributes attributes, std::vector<Value> inputs,
                 const Path& at) {
  return AddMany(op, std::move(attributes), std::move(inputs), at).front();
}

void Graph::AddAlias(Value value, std::string_view alias) {
  ValueInfo& info = mutable_value(value.id);
  if (info.name == alias || std::ranges::count(info.aliases, alias) > 0) return;
  info.aliases.emplace_back(alias);
  names_.emplace(alias, value.id);
}

void Graph::MarkOutput(Value value, std::string_view name) {
  outputs_.push_back({std::string(name), value.id});
}

const Node* Graph::producer(int value_id) const {
  const int node = value(value_id).producer;
  return node < 0 ? nullptr : &nodes_[IndexOf(node)];
}

std::vector<int> Graph::inputs() const {
  std::vector<int> ids;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == ValueKind::kInput) ids.push_back(static_cast<int>(i));
  }
  return ids;
}

std::vector<int> Graph::weights() const {
  std::vector<int> ids;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == ValueKind::kWeight) ids.push_back(static_cast<int>(i));
  }
  return ids;
}

int Graph::Find(std::string_view name) const {
  for (const Output& output : outputs_) {
    if (output.name == name) return output.value;
  }
  const auto found = names_.find(std::string(name));
  return found == names_.end() ? kNoValue : found->second;
}

std::vector<std::vector<int>> Graph::Consumers() const {
  std::vector<std::vector<int>> consumers(values_.size());
  for (const Node& node : nodes_) {
    for (int input : node.inputs) {
      if (input != kNoValue) consumers[static_cast<size_t>(input)].push_back(node.id);
    }
  }
  return consumers;
}

size_t Graph::IndexOf(int node_id) const {
  const auto found = std::ranges::find(nodes_, node_id, &Node::id);
  VN_CHECK(found != nodes_.end(), fmt::format("node {}", node_id));
  return static_cast<size_t>(found - nodes_.begin());
}

Node& Graph::InsertNode(Node node, int before) {
  node.id = next_node_id_++;
  for (int output : node.outputs) mutable_value(output).producer = node.id;
  const auto place = nodes_.begin() + static_cast<std::ptrdiff_t>(IndexOf(before));
  return *nodes_.insert(place, std::move(node));
}

void Graph::Compact() {
  std::erase_if(nodes_, [](const Node& node) { return node.op == nullptr; });
}

Dim Graph::Flops() const {
  Dim total = 0;
  const std::vector<bool> needed = NeededNodes(*this);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (needed[i]) total = total + Flops(node);
  }
  return total;
}

Dim Graph::Flops(const Node& node) const {
  if (node.op->flops == nullptr) return 0;
  std::vector<ValueType> in, out;
  for (int id : node.inputs) in.push_back(id == kNoValue ? ValueType{} : value(id).type);
  for (int id : node.outputs) out.push_back(value(id).type);
  return node.op->flops(node.attributes, in, out);
}

std::vector<bool> NeededNodes(const Graph& graph) {
  std::vector<bool> wanted(graph.values().size());
  for (const auto& output : graph.outputs()) wanted[static_cast<size_t>(output.value)] = true;
  const auto& nodes = graph.nodes();
  std::vector<bool> needed(nodes.size());
  for (size_t i = nodes.size(); i-- > 0;) {
    for (int output : nodes[i].outputs) {
      if (wanted[static_cast<size_t>(output)]) needed[i] = true;
    }
    if (nodes[i].op->writes_state) needed[i] = true;
    if (!needed[i]) continue;
    for (int input : nodes[i].inputs) {
      if (input != kNoValue) wanted[static_cast<size_t>(input)] = true;
    }
  }
  return needed;
}

void Verify(const Graph& graph) {
  std::vector<bool> defined(graph.values().size());
  for (size_t i = 0; i < graph.values().size(); ++i) {
    defined[i] = graph.values()[i].kind != ValueKind::kResult;
  }
  for (const Node& node : graph.nodes()) {
    VN_CHECK(node.op != nullptr, node.name);
    const int count = static_cast<int>(node.inputs.size());
    VN_CHECK(count >= node.op->min_inputs && count <= node.op->max_inputs, node.name);
    std::vector<ValueType> types;
    for (int input : node.inputs) {
      VN_CHECK(input == kNoValue || defined[static_cast<size_t>(input)],
               fmt::format("{} reads {} before it is computed", node.name,
                           input == kNoValue ? "" : graph.value(input).name));
      types.push_back(input == kNoValue ? ValueType{} : graph.value(input).type);
    }
    const std::vector<ValueType> results = node.op->infer(node.attributes, types);
    VN_CHECK(results.size() == node.outputs.size(), node.name);
    for (size_t i = 0; i < results.size(); ++i) {
      const ValueInfo& value = graph.value(node.outputs[i]);
      VN_CHECK(value.producer == node.id, value.name);
      VN_CHECK(results[i].shape == value.type.shape,
               fmt::format("{} has shape {} but its op gives {}", value.name,
                           ToString(value.type.shape), ToString(results[i].shape)));
      defined[static_cast<size_t>(node.outputs[i])] = true;
    }
  }
  for (const auto& output : graph.outputs()) {
    VN_CHECK(defined[static_cast<size_t>(output.value)], "output " + output.name);
  }
}

}  // namespace vernier
