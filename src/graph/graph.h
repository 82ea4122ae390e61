// The graph: the single source of truth about a model. Values carry canonical names (the published
// checkpoint's module paths) and aliases; ids are dense, stable and never reused, so that tables
// keyed by them survive every pass. Nodes are kept in a topological order. Thread-compatible.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/dim.h"
#include "graph/layout.h"
#include "graph/op.h"

namespace vernier {

enum class ValueKind {
  kInput,   // fed by the caller
  kWeight,  // a tensor of the checkpoint
  kState,   // a named resource (a KV cache); the value is its version at the start of a run
  kResult,  // an output of a node
};

/// Numbers at which a node computes; f32 unless the precision pass says otherwise.
struct Precision {
  DType weight = DType::kF32;
  DType multiply = DType::kF32;
  DType output = DType::kF32;

  bool operator==(const Precision& other) const = default;
};

struct Node {
  int id = -1;
  const OpDef* op = nullptr;
  Attributes attributes;
  std::string name;
  std::vector<int> inputs = {};  // value ids; kNoValue for an absent optional input
  std::vector<int> outputs = {};
  Precision precision = {};
  int branch = 0;  // nodes of different branches may run at the same time
};

inline constexpr int kNoValue = -1;

struct ValueInfo {
  ValueKind kind = ValueKind::kResult;
  ValueType type;
  std::string name;
  std::vector<std::string> aliases = {};
  int producer = -1;  // node id, for kResult
  Layout layout = Layout::kRowMajor;
  /// kWeight only: the checkpoint's shape when it differs from the type's (equal element count).
  Shape stored_shape = {};
};

class Graph;

/// A handle to one value of one graph, for writing models.
struct Value {
  Graph* graph = nullptr;
  int id = kNoValue;

  const ValueType& type() const;
  const Dim& dim(int axis) const { return type().dim(axis); }
  bool exists() const { return id != kNoValue; }
};

/// A place in the checkpoint's module tree: names nodes and finds weights under itself.
class Path {
 public:
  Path() = default;
  explicit Path(std::string text) : text_(std::move(text)) {}

  /// `at / "mlp.fc1"` and `at / 3`; a part that begins with '#' is joined without a dot and names a
  /// node that no module has.
  Path operator/(std::string_view part) const;
  Path operator/(int index) const { return *this / std::string_view(std::to_string(index)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Graph {
 public:
  explicit Graph(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  Value Input(std::string_view name, DType dtype, Dims shape);
  /// A tensor of the checkpoint; the same name twice gives the same value.
  Value Weight(const Path& path, Shape shape) { return Weight(path, shape, shape); }
  /// `stored` is the shape in the file, `shape` the one the model computes with.
  Value Weight(const Path& path, const Shape& shape, const Shape& stored);
  Value State(std::string_view name, ValueType type);

  /// Adds a node, checks arity and types; errors name the node. The single output's handle.
  Value Add(const OpDef& op, Attributes attributes, std::vector<Value> inputs, const Path& at);
  /// As Add, for ops with several outputs; output i > 0 is called "name#i".
  std::vector<Value> AddMany(const OpDef& op, Attributes attributes, std::vector<Value> inputs,
                             const Path& at);

  void AddAlias(Value value, std::string_view alias);
  /// Gives `value` a role under the reference's output name.
  void MarkOutput(Value value, std::string_view name);

  /// From here on, new nodes belong to `branch`; branch 0 is the trunk.
  void SetBranch(int branch) { branch_ = branch; }

  const std::vector<ValueInfo>& values() const { return values_; }
  const ValueInfo& value(int id) const { return values_[static_cast<size_t>(id)]; }
  ValueInfo& mutable_value(int id) { return values_[static_cast<size_t>(id)]; }
  /// In topological order; a removed node has no op.
  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& mutable_nodes() { return nodes_; }
  const Node* producer(int value_id) const;

  struct Output {
    std::string name;
    int value;
  };
  const std::vector<Output>& outputs() const { return outputs_; }
  std::vector<Output>& mutable_outputs() { return outputs_; }
  std::vector<int> inputs() const;
  std::vector<int> weights() const;

  /// The value with that canonical name, alias or output name; kNoValue when there is none.
  int Find(std::string_view name) const;

  /// Nodes that read each value, by value id; a node that reads a value twice is listed twice.
  std::vector<std::vector<int>> Consumers() const;

  /// For passes: a value without producer, and a node that is placed before the node `before`.
  int NewValue(ValueInfo info);
  Node& InsertNode(Node node, int before);
  /// Takes away the nodes whose op was cleared, keeping the order.
  void Compact();
  /// Index of a node in nodes() by its id.
  size_t IndexOf(int node_id) const;

  /// Total cost of the nodes that outputs need, in floating-point operations.
  Dim Flops() const;
  /// Cost of one node; 0 for an op without products.
  Dim Flops(const Node& node) const;

 private:
  std::string UniqueName(std::string_view wanted) const;

  std::string name_;
  std::vector<ValueInfo> values_;
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
  std::unordered_map<std::string, int> names_;
  int next_node_id_ = 0;
  int branch_ = 0;
};

/// Throws Error{kInternal} unless order, ids, arity and types are consistent; passes run it.
void Verify(const Graph& graph);

/// Nodes that an output needs or that write a state, and what those need, by index in nodes().
std::vector<bool> NeededNodes(const Graph& graph);

}  // namespace vernier
