// Every op on maps, in both layouts and types, against the reference.
#include <cmath>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "backends/reorder.h"
#include "core/float_types.h"
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "passes/pass.h"
#include "support/run_graph.h"

namespace vernier {
namespace {

using testing::RunGraph;
using testing::ToyWeights;
using testing::Wave;

struct MapCase {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Value(const std::vector<Value>&)> build;
};

std::vector<MapCase> Cases() {
  std::vector<MapCase> cases;
  // Planes of one piece and of several, group sizes of one and more, and no vector's width.
  for (const Shape& shape : {Shape{2, 6, 5, 7}, Shape{1, 36, 13, 11}, Shape{2, 3, 1, 1}}) {
    cases.push_back({"group norm", {shape}, [](const std::vector<Value>& x) {
                       return nn::GroupNorm(x[0], 3, 1e-5, Path("n"), Path("y"));
                     }});
    cases.push_back({"group norm and ReLU", {shape}, [](const std::vector<Value>& x) {
                       const Value y =
                           nn::GroupNorm(x[0], x[0].dim(1).constant(), 1e-5, Path("n"), Path("n"));
                       return nn::Activate(y, ActivationKind::kRelu, Path("y"));
                     }});
    cases.push_back({"batch norm", {shape}, [](const std::vector<Value>& x) {
                       return nn::BatchNorm(x[0], 1e-5, Path("n"), Path("y"));
                     }});
    cases.push_back({"max pool", {shape}, [](const std::vector<Value>& x) {
                       return nn::MaxPool(x[0], {.kernel = 3, .stride = 2, .padding = 1},
                                          Path("y"));
                     }});
    const int64_t rows = 2 * shape[2] - 1, columns = 2 * shape[3];
    for (MapResampling by : {MapResampling::kNearest, MapResampling::kBilinear}) {
      const std::vector<Shape> two = {shape, Shape{shape[0], shape[1], rows, columns}};
      cases.push_back({"resized map", {shape}, [=](const std::vector<Value>& x) {
                         return nn::Doubled(x[0], by, Path("y"));
                       }});
      cases.push_back({"resized map and sum", two, [=](const std::vector<Value>& x) {
                         return nn::Add(x[1], nn::ResizeLike(x[0], x[1], by, Path("r")), Path("y"));
                       }});
    }
    const std::vector<Shape> parts = {shape, Shape{shape[0], 4, shape[2], shape[3]}, shape};
    cases.push_back({"maps side by side", parts, [](const std::vector<Value>& x) {
                       return nn::Concat({x[0], x[1], x[2]}, 1, Path("y"));
                     }});
    cases.push_back({"map times one number", {shape}, [](const std::vector<Value>& x) {
                       Graph& graph = *x[0].graph;
                       const Value factor = graph.Weight(Path("scale.weight"), Shape{1});
                       return graph.Add(kBinary, Attributes::Of(Binary{BinaryKind::kMul}),
                                        {x[0], factor}, Path("y"));
                     }});
    cases.push_back({"sum of maps", {shape, shape}, [](const std::vector<Value>& x) {
                       return nn::Add(x[0], x[1], Path("y"));
                     }});
  }
  return cases;
}

Graph GraphOf(const MapCase& c) {
  Graph graph(c.name);
  std::vector<Value> inputs;
  for (const Shape& shape : c.inputs) {
    Dims dims;
    for (int axis = 0; axis < shape.rank(); ++axis) dims.emplace_back(shape[axis]);
    inputs.push_back(graph.Input("x" + std::to_string(inputs.size()), DType::kF32, dims));
  }
  graph.MarkOutput(c.build(inputs), "y");
  return graph;
}

// A map in memory of its own, as a plan has it; wider rows than it needs, filled with NaN.
struct StoredMap {
  StoredMap(const Shape& shape, DType dtype, Layout layout) {
    arg = TensorArg::Of({nullptr, dtype, shape}, layout);
    arg.row_stride += 3;
    memory = Tensor(dtype, {arg.rows() * arg.row_stride});
    if (dtype == DType::kF32) {
      std::ranges::fill(memory.as<float>(), std::nanf(""));
    } else {
      std::ranges::fill(std::span(static_cast<uint16_t*>(memory.data()),
                                  static_cast<size_t>(memory.shape().elements())),
                        ToBf16(std::nanf("")));
    }
    arg.data = memory.data();
  }

  Tensor memory;
  TensorArg arg;
};

Tensor Rounded(const Tensor& tensor, DType dtype) {
  Tensor rounded(dtype, tensor.shape());
  const auto from = tensor.as<float>();
  if (dtype == DType::kF32) {
    std::ranges::copy(from, rounded.as<float>().begin());
  } else {
    std::ranges::transform(from, static_cast<uint16_t*>(rounded.data()), ToBf16);
  }
  return rounded;
}

// The single node that the passes leave, on operands of that layout and type.
Tensor RunNode(const Backend& backend, Graph graph, const std::vector<Tensor>& inputs,
               Layout layout, DType dtype, int threads) {
  const auto store = ToyWeights(graph).Store();
  FuseMaps(graph, {.rules = {}, .wanted = {}, .can_emit = {}});
  EXPECT_EQ(graph.nodes().size(), 1u);
  const Node& node = graph.nodes()[0];
  EXPECT_EQ(backend.Maps(graph, node), MapSupport::kAlike);
  std::vector<StoredMap> maps;
  std::vector<Tensor> weights;
  std::vector<TensorArg> operands;
  weights.reserve(node.inputs.size());
  for (int input : node.inputs) {
    const ValueInfo& info = graph.value(input);
    if (info.kind == ValueKind::kWeight) {
      weights.push_back(ToFloat32(store->Raw(info.name)));
      operands.push_back(TensorArg::Of(weights.back().view()));
      continue;
    }
    const Tensor& x = inputs[static_cast<size_t>(std::stoi(info.name.substr(1)))];
    maps.emplace_back(x.shape(), dtype, layout);
    CopyElements(TensorArg::Of(x.view()), maps.back().arg, 1);
    operands.push_back(maps.back().arg);
  }
  const ValueType& type = graph.value(node.outputs[0]).type;
  std::vector<int64_t> extents;
  for (const Dim& dim : type.shape) extents.push_back(dim.constant());
  StoredMap result(Shape(std::span<const int64_t>(extents)), dtype, layout);
  const auto prepared = backend.Prepare({graph, node, *store});
  const auto kernel =
      prepared->Bind({.inputs = operands, .outputs = {&result.arg, 1}, .threads = threads});
  Tensor scratch(DType::kU8, {static_cast<int64_t>(kernel->scratch_bytes())});
  kernel->Run({.inputs = operands,
               .outputs = {&result.arg, 1},
               .scratch = scratch.data(),
               .threads = threads});
  return ToFloat32(RowMajorCopy(result.arg, 1).view());
}

void ExpectAsReference(const MapCase& c, Isa isa, Layout layout, DType dtype) {
  SCOPED_TRACE(c.name + " of " + c.inputs[0].ToString() + ", " + Name(layout) + ", " + Name(dtype) +
               ", " + Name(isa));
  const Graph graph = GraphOf(c);
  std::vector<Tensor> stored, widened;
  NamedViews given;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    stored.push_back(Rounded(Wave(c.inputs[i], 0.4 + static_cast<double>(i)), dtype));
  }
  for (const Tensor& x : stored) widened.push_back(ToFloat32(x.view()));
  for (size_t i = 0; i < widened.size(); ++i) {
    given.emplace("x" + std::to_string(i), widened[i].view());
  }
  const NamedTensors expected =
      RunGraph(graph, {.options = {.backend = &RefBackend()}, .given = given});
  const auto backend = MakeCpuBackend({.isa = isa});

  const Tensor one = RunNode(*backend, graph, stored, layout, dtype, 1);
  const Tensor three = RunNode(*backend, graph, stored, layout, dtype, 3);

  const auto values = expected.at("y").as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(one.as<float>()[i], three.as<float>()[i]);
    // A few roundings of values around one, in f32, and one to the stored type.
    const double rounding = dtype == DType::kF32 ? 0x1p-24 : 0x1p-8;
    const double size = std::max(1.0, std::abs(static_cast<double>(values[i])));
    ASSERT_NEAR(one.as<float>()[i], values[i], (32 * 0x1p-24 + rounding) * size) << i;
  }
}

TEST(MapNodes, ComputeAsTheReferenceInEitherLayoutWhateverTheThreads) {
  for (const MapCase& c : Cases()) {
    for (Isa isa : Cpu().isas) {
      for (Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
        for (DType dtype : {DType::kF32, DType::kBF16}) {
          ExpectAsReference(c, isa, layout, dtype);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

}  // namespace
}  // namespace vernier
