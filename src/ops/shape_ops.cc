#include "ops/shape_ops.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "graph/graph.h"
#include "ops/op_support.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

Types InferReshape(const Attributes& attributes, const Types& in) {
  const Dims& shape = attributes.get<Reshape>().shape;
  if (!(Product(shape) == Product(in[0].shape))) {
    ShapeError(fmt::format("cannot reshape {} to {}", ToString(in[0].shape), ToString(shape)));
  }
  return {{in[0].dtype, shape}};
}

Types InferTranspose(const Attributes& attributes, const Types& in) {
  const auto& order = attributes.get<Transpose>().order;
  std::vector<int> sorted = order;
  std::ranges::sort(sorted);
  bool permutation = static_cast<int>(order.size()) == in[0].rank();
  for (size_t i = 0; permutation && i < sorted.size(); ++i) {
    permutation = sorted[i] == static_cast<int>(i);
  }
  if (!permutation) {
    ShapeError(
        fmt::format("[{}] does not permute {}", fmt::join(order, ", "), ToString(in[0].shape)));
  }
  ValueType out{in[0].dtype, {}};
  for (int axis : order) out.shape.push_back(in[0].dim(axis));
  return {out};
}

Types InferSlice(const Attributes& attributes, const Types& in) {
  const auto& slice = attributes.get<Slice>();
  const int axis = NormalAxis(slice.axis, in[0].rank());
  const Dim& extent = in[0].dim(axis);
  const Dim end = slice.begin + slice.length;
  if (extent.IsConstant() && end.IsConstant() && slice.begin.IsConstant() &&
      (end.constant() > extent.constant() || slice.begin.constant() < 0 ||
       end.constant() < slice.begin.constant())) {
    ShapeError(fmt::format("slice {}..{} of axis {} with {} elements", slice.begin.ToString(),
                           end.ToString(), axis, extent.ToString()));
  }
  ValueType out = in[0];
  out.shape[static_cast<size_t>(axis)] = slice.length;
  return {out};
}

Types InferConcat(const Attributes& attributes, const Types& in) {
  const int axis = NormalAxis(attributes.get<Concat>().axis, in[0].rank());
  ValueType out = in[0];
  for (size_t i = 1; i < in.size(); ++i) {
    RequireRank(in[i], in[0].rank(), in[0].rank(), "each concatenated value");
    for (int d = 0; d < in[0].rank(); ++d) {
      if (d != axis) RequireEqual(in[i].dim(d), in[0].dim(d), "a concatenated value's dimension");
    }
    Dim& sum = out.shape[static_cast<size_t>(axis)];
    sum = sum + in[i].dim(axis);
  }
  return {out};
}

Types InferExpand(const Attributes& attributes, const Types& in) {
  const Dims& shape = attributes.get<Expand>().shape;
  if (Broadcast(in[0].shape, shape) != shape) {
    ShapeError(fmt::format("cannot expand {} to {}", ToString(in[0].shape), ToString(shape)));
  }
  return {{in[0].dtype, shape}};
}

Types InferPatchify(const Attributes& attributes, const Types& in) {
  const auto& patch = attributes.get<Patchify>();
  RequireRank(in[0], 4, 4, "the image tensor");
  const Dim rows = FloorDiv(in[0].dim(2), patch.patch_height);
  const Dim columns = FloorDiv(in[0].dim(3), patch.patch_width);
  const Dim values = in[0].dim(1) * Dim(patch.patch_height * patch.patch_width);
  return {{in[0].dtype, {in[0].dim(0), rows * columns, values}}};
}

Types InferReorder(const Attributes&, const Types& in) {
  RequireRank(in[0], 4, 4, "the map");
  return {in[0]};
}

std::vector<int> DecomposePatchify(Graph& graph, const Node& node) {
  const auto& patch = node.attributes.get<Patchify>();
  const Path at(node.name);
  Value x{&graph, node.inputs[0]};
  const Dim batch = x.dim(0), channels = x.dim(1);
  const Dim rows = FloorDiv(x.dim(2), patch.patch_height);
  const Dim columns = FloorDiv(x.dim(3), patch.patch_width);
  const Dim height = patch.patch_height, width = patch.patch_width;
  x = graph.Add(kSlice, Attributes::Of(Slice{2, 0, rows * height}), {x}, at / "#rows");
  x = graph.Add(kSlice, Attributes::Of(Slice{3, 0, columns * width}), {x}, at / "#columns");
  x = graph.Add(kReshape, Attributes::Of(Reshape{{batch, channels, rows, height, columns, width}}),
                {x}, at / "#split");
  x = graph.Add(kTranspose, Attributes::Of(Transpose{{0, 2, 4, 1, 3, 5}}), {x}, at / "#patches");
  x = graph.Add(kReshape,
                Attributes::Of(Reshape{{batch, rows * columns, channels * height * width}}), {x},
                at / "#flat");
  return {x.id};
}

}  // namespace

const OpDef kReshape{.name = "Reshape",
                     .min_inputs = 1,
                     .max_inputs = 1,
                     .infer = InferReshape,
                     .onnx_name = "Reshape",
                     .onnx_version = 5};

const OpDef kTranspose{.name = "Transpose",
                       .min_inputs = 1,
                       .max_inputs = 1,
                       .infer = InferTranspose,
                       .onnx_name = "Transpose",
                       .onnx_version = 1,
                       .describe = [](const Attributes& a) -> std::string {
                         return fmt::format("{}", fmt::join(a.get<Transpose>().order, ","));
                       }};

const OpDef kSlice{.name = "Slice",
                   .min_inputs = 1,
                   .max_inputs = 1,
                   .infer = InferSlice,
                   .onnx_name = "Slice",
                   .onnx_version = 10,
                   .describe = [](const Attributes& a) -> std::string {
                     const auto& slice = a.get<Slice>();
                     return fmt::format("axis={}, begin={}, length={}", slice.axis,
                                        slice.begin.ToString(), slice.length.ToString());
                   }};

const OpDef kConcat{.name = "Concat",
                    .min_inputs = 1,
                    .max_inputs = 16,
                    .infer = InferConcat,
                    .onnx_name = "Concat",
                    .onnx_version = 4,
                    .describe = [](const Attributes& a) -> std::string {
                      return fmt::format("axis={}", a.get<Concat>().axis);
                    }};

const OpDef kExpand{.name = "Expand",
                    .min_inputs = 1,
                    .max_inputs = 1,
                    .infer = InferExpand,
                    .onnx_name = "Expand",
                    .onnx_version = 8};

const OpDef kPatchify{.name = "Patchify",
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .infer = InferPatchify,
                      .decompose = DecomposePatchify,
                      .describe = [](const Attributes& a) -> std::string {
                        const auto& patch = a.get<Patchify>();
                        return fmt::format("{}x{}", patch.patch_height, patch.patch_width);
                      }};

const OpDef kReorder{
    .name = "Reorder",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = InferReorder,
    .describe = [](const Attributes& a) -> std::string { return Name(a.get<Reorder>().to); }};

}  // namespace vernier
