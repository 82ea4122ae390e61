// What an op is to the graph: a name, a shape rule, a cost and, for composites, its decomposition.
// The graph knows no op; the definitions stand in ops/ and are listed in ops/table.cc.
#pragma once

#include <memory>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "graph/dim.h"
#include "vernier/tensor.h"

namespace vernier {

class Graph;
struct Node;

/// Element type and symbolic shape of a value. Models compute in f32; ids are integers.
struct ValueType {
  DType dtype = DType::kF32;
  Dims shape;

  bool operator==(const ValueType& other) const = default;
  int rank() const { return static_cast<int>(shape.size()); }
  /// Negative axes count from the end.
  const Dim& dim(int axis) const {
    return shape[static_cast<size_t>(axis < 0 ? axis + rank() : axis)];
  }
};

/// An op's attributes, type-erased; `get<T>()` checks the type.
class Attributes {
 public:
  Attributes() = default;
  template <typename T>
  static Attributes Of(T value) {
    return Attributes(std::make_shared<const T>(std::move(value)), typeid(T));
  }
  template <typename T>
  const T& get() const {
    Require(typeid(T));
    return *static_cast<const T*>(data_.get());
  }

 private:
  Attributes(std::shared_ptr<const void> data, std::type_index type)
      : data_(std::move(data)), type_(type) {}
  void Require(std::type_index wanted) const;

  std::shared_ptr<const void> data_;
  std::type_index type_ = typeid(void);
};

struct OpDef {
  const char* name;
  int min_inputs;
  int max_inputs;
  /// Types of the outputs; throws Error{kInput} saying what did not fit (the caller adds the node).
  std::vector<ValueType> (*infer)(const Attributes&, const std::vector<ValueType>& inputs);
  /// Floating-point operations of the op's products, 2 per multiply-add, as an expression; null for
  /// an op without products. Only products count, as in the figures that models are published with.
  Dim (*flops)(const Attributes&, const std::vector<ValueType>& inputs,
               const std::vector<ValueType>& outputs) = nullptr;
  /// ONNX counterpart, "" when the op is a composite there, and the first opset that has it.
  const char* onnx_name = "";
  int onnx_version = 0;
  /// Composites only: adds the plain ops that mean the same and returns the values that stand for
  /// the node's outputs. Names of the new nodes begin with the node's own name.
  std::vector<int> (*decompose)(Graph&, const Node&) = nullptr;
  /// The op writes its first input, a state, and so is needed whether or not its result is read.
  bool writes_state = false;
  /// Attributes as text for printed graphs, "" when the op has none.
  std::string (*describe)(const Attributes&) = nullptr;
};

}  // namespace vernier
