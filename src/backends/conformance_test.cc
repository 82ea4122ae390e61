// Every op on every backend of this machine against the reference, on generated cases. An op that
// the table lists and no case reaches fails the test.
#include <cmath>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/map_ops.h"
#include "ops/norm.h"
#include "ops/picture_grids.h"
#include "ops/resize_grid.h"
#include "ops/rope.h"
#include "ops/shape_ops.h"
#include "ops/table.h"
#include "runtime/state.h"
#include "support/run_graph.h"

namespace vernier {
namespace {

using testing::GraphRun;
using testing::LargestDifference;
using testing::LargestMagnitude;
using testing::RunGraph;
using testing::ToyWeights;
using testing::ValueRange;
using testing::Wave;

// Writes one case's graph. Strided inputs are columns of a wider input, as the parts of a fused
// projection are.
class Builder {
 public:
  Builder(Graph& graph, bool strided) : graph_(graph), strided_(strided) {}

  Value Input(const std::string& name, Dims shape) {
    if (!strided_ || shape.empty()) return graph_.Input(name, DType::kF32, std::move(shape));
    const Dim columns = shape.back();
    const int axis = static_cast<int>(shape.size()) - 1;
    shape.back() = columns + 5;
    const Value wide = graph_.Input(name, DType::kF32, std::move(shape));
    return nn::Slice(wide, axis, 2, columns, Path(name) / "#columns");
  }

  Value Offsets(const std::string& name, int64_t count) {
    return graph_.Input(name, DType::kI32, {count});
  }

  Value Weight(const std::string& name, const Shape& shape) {
    return graph_.Weight(Path(name), shape);
  }

  template <typename T>
  Value Add(const OpDef& op, T attributes, std::vector<Value> inputs) {
    return graph_.Add(op, Attributes::Of(std::move(attributes)), std::move(inputs), Path(op.name));
  }

  void Output(Value value) {
    graph_.MarkOutput(value, "y" + std::to_string(graph_.outputs().size()));
  }

  Graph& graph() { return graph_; }

 private:
  Graph& graph_;
  bool strided_;
};

struct Case {
  std::string name;
  std::function<void(Builder&)> build;
  int64_t sum_length = 1;  // of the longest sum behind one element
  ValueRange range = {};
  NamedViews given = {};
};

Graph BuildCase(const Case& c, bool strided) {
  Graph graph(c.name);
  Builder builder(graph, strided);
  c.build(builder);
  return graph;
}

// 0, 1, odd, and around the 16 lanes of the widest vectors.
constexpr int64_t kSizes[] = {1, 7, 15, 16, 17, 33};

void AddLinears(std::vector<Case>& cases) {
  for (int64_t rows : {0, 1, 5}) {
    for (int64_t in : kSizes) {
      for (int64_t out : {1, 16, 67}) {
        cases.push_back({fmt::format("Linear {} x {} -> {}", rows, in, out),
                         [=](Builder& b) {
                           const Value x = b.Input("x", {rows, in});
                           b.Output(nn::Linear(x, Path("fc"), out));
                           b.Output(nn::Linear(x, Path("bare"), out, false));
                         },
                         in});
      }
    }
  }
  cases.push_back({"Linear with batch norm",
                   [](Builder& b) {
                     const Value x = b.Input("x", {9, 24});
                     const Value h = nn::Linear(x, Path("fc"), 40);
                     b.Output(nn::BatchNorm(h, 1e-5, Path("norm"), Path("norm")));
                     const Value bare = nn::Linear(x, Path("bare"), 17, false);
                     b.Output(nn::BatchNorm(bare, 1e-5, Path("other"), Path("other")));
                   },
                   24});
  cases.push_back({"Linear with activation, scale and residual",
                   [](Builder& b) {
                     const Value x = b.Input("x", {2, 9, 24});
                     Value h = nn::Linear(x, Path("fc"), 40);
                     h = nn::Activate(h, ActivationKind::kGelu, Path("act"));
                     h = nn::Linear(h, Path("proj"), 24);
                     h = nn::LayerScale(h, Path("gamma"), Path("scaled"));
                     b.Output(nn::Add(x, h, Path("sum")));
                   },
                   24 * 40});
  for (ActivationKind kind :
       {ActivationKind::kGelu, ActivationKind::kGeluTanh, ActivationKind::kRelu,
        ActivationKind::kQuickGelu, ActivationKind::kSilu}) {
    for (int64_t hidden : {5, 32, 40, 97}) {
      cases.push_back(
          {fmt::format("Gated MLP of {} with {}", hidden, Name(kind)),
           [=](Builder& b) {
             const Value x = b.Input("x", {2, 9, 24});
             b.Output(nn::Add(nn::GatedMlp(x, Path("mlp"), {hidden, 24}, kind), x, Path("sum")));
           },
           24 * hidden});
    }
  }
  cases.push_back({"Linear of a computed weight and bias",
                   [](Builder& b) {
                     const Value weight = b.Input("w", {6, 8}), bias = b.Input("b", {6});
                     b.Output(b.Add(kLinear, Linear{}, {b.Input("x", {3, 8}), weight, bias}));
                     b.Output(b.Add(kLinear, Linear{},
                                    {b.Input("z", {3, 8}), b.Weight("v", Shape{6, 8}), bias}));
                   },
                   8});
}

void AddDistanceBias(std::vector<Case>& cases) {
  for (int64_t buckets : {2, 10, 32}) {
    cases.push_back(
        {fmt::format("Distance bias of {} buckets", buckets), [=](Builder& b) {
           b.Output(b.Add(kDistanceBias, DistanceBias{128, 192}, {b.Input("table", {buckets, 3})}));
         }});
  }
}

void AddElementwise(std::vector<Case>& cases) {
  const ValueRange positive{0.25f, 3.0f}, wide{-6.0f, 6.0f};
  for (int64_t size : {0, 1, 7, 15, 16, 17}) {
    for (UnaryKind kind : {UnaryKind::kErf, UnaryKind::kTanh, UnaryKind::kSqrt, UnaryKind::kSigmoid,
                           UnaryKind::kRelu}) {
      cases.push_back({fmt::format("Unary {} {}", Name(kind), size),
                       [=](Builder& b) {
                         b.Output(b.Add(kUnary, Unary{kind}, {b.Input("x", {2, 3, size})}));
                       },
                       1, kind == UnaryKind::kSqrt ? positive : wide});
    }
    for (ActivationKind kind :
         {ActivationKind::kNone, ActivationKind::kGelu, ActivationKind::kGeluTanh,
          ActivationKind::kQuickGelu, ActivationKind::kRelu, ActivationKind::kTanh,
          ActivationKind::kSilu}) {
      cases.push_back({fmt::format("Activation {} {}", Name(kind), size),
                       [=](Builder& b) {
                         b.Output(nn::Activate(b.Input("x", {2, 3, size}), kind, Path("act")));
                       },
                       1, wide});
    }
    for (BinaryKind kind :
         {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv}) {
      const std::pair<Dims, Dims> shapes[] = {{{2, 3, size}, {2, 3, size}}, {{2, 3, size}, {size}},
                                              {{2, 3, size}, {3, size}},    {{2, 3, size}, {3, 1}},
                                              {{2, 3, size}, {}},           {{1, size}, {2, 3, 1}},
                                              {{2, 1, size}, {1, 3, size}}};
      for (const auto& [left, right] : shapes) {
        cases.push_back(
            {fmt::format("Binary {} of {} and {}", Name(kind), ToString(left), ToString(right)),
             [=](Builder& b) {
               const Value x = b.Input("a", left), y = b.Input("b", right);
               b.Output(b.Add(kBinary, Binary{kind}, {x, y}));
             },
             1, positive});
      }
    }
  }
  cases.push_back({"Constant", [](Builder& b) {
                     const Value two = b.Add(kConstant, Constant{2.5f}, {});
                     b.Output(b.Add(kBinary, Binary{BinaryKind::kMul}, {b.Input("x", {3}), two}));
                   }});
}

void AddRows(std::vector<Case>& cases) {
  for (int64_t size : kSizes) {
    cases.push_back({fmt::format("LayerNorm {}", size),
                     [=](Builder& b) {
                       b.Output(nn::LayerNorm(b.Input("x", {2, 9, size}), Path("norm"), 1e-5));
                     },
                     size});
    cases.push_back({fmt::format("RmsNorm {}", size),
                     [=](Builder& b) {
                       b.Output(nn::RmsNorm(b.Input("x", {2, 9, size}), Path("norm"), 1e-6));
                     },
                     size});
    cases.push_back({fmt::format("Softmax {}", size),
                     [=](Builder& b) {
                       b.Output(b.Add(kSoftmax, Softmax{}, {b.Input("x", {2, 9, size})}));
                     },
                     size});
    cases.push_back({fmt::format("MatMul {}", size),
                     [=](Builder& b) {
                       const Value x = b.Input("a", {2, 1, 5, size});
                       b.Output(b.Add(kMatMul, MatMul{}, {x, b.Input("b", {3, size, 4})}));
                     },
                     size});
    for (int axis : {0, 1, -1}) {
      cases.push_back({fmt::format("Mean of axis {} of {}", axis, size),
                       [=](Builder& b) {
                         b.Output(b.Add(kMean, Mean{axis}, {b.Input("x", {2, 3, size})}));
                       },
                       size});
    }
  }
}

void AddMovement(std::vector<Case>& cases) {
  for (int64_t size : {0, 1, 7, 16, 17}) {
    const Dims shape = {2, 3, size};
    const auto add = [&](const char* name, std::function<Value(Value)> build) {
      cases.push_back({fmt::format("{} {}", name, size),
                       [=](Builder& b) { b.Output(build(b.Input("x", shape))); }});
    };
    add("Reshape", [=](Value x) { return nn::Reshape(x, {size, 6}, Path("y")); });
    add("Reshape of rows", [=](Value x) { return nn::Reshape(x, {6, size}, Path("y")); });
    add("Transpose", [=](Value x) { return nn::Transpose(x, {2, 0, 1}, Path("y")); });
    add("Transpose of rows", [=](Value x) { return nn::Transpose(x, {1, 0, 2}, Path("y")); });
    add("Slice of columns", [=](Value x) { return nn::Slice(x, -1, 0, size, Path("y")); });
    add("Slice of rows", [=](Value x) { return nn::Slice(x, 1, 1, 2, Path("y")); });
    add("Slice of one row", [=](Value x) { return nn::Slice(x, 1, 2, 1, Path("y")); });
    add("Slice of batches", [=](Value x) { return nn::Slice(x, 0, 1, 1, Path("y")); });
    add("Concat of columns", [=](Value x) { return nn::Concat({x, x}, -1, Path("y")); });
    add("Concat of rows", [=](Value x) { return nn::Concat({x, x, x}, 1, Path("y")); });
    cases.push_back({fmt::format("Expand {}", size), [=](Builder& b) {
                       const Value x = b.Input("x", {3, 1}), row = b.Input("z", {1, size});
                       b.Output(b.Add(kExpand, Expand{{2, 3, size}}, {x}));
                       b.Output(b.Add(kExpand, Expand{{2, 3, size}}, {row}));
                     }});
  }
  for (const auto& [height, width] : {std::pair{4, 6}, {5, 7}, {2, 3}, {1, 9}}) {
    cases.push_back({fmt::format("Patchify {} x {}", height, width), [=](Builder& b) {
                       const Value x = b.Input("x", {2, 3, height, width});
                       b.Output(b.Add(kPatchify, Patchify{2, 3}, {x}));
                     }});
  }
}

void AddPositions(std::vector<Case>& cases) {
  for (bool interleaved : {false, true}) {
    for (int64_t dim : {4, 16, 20, 36}) {
      const RopeTable2d table{.rows = 2, .columns = 3, .head_dim = dim, .leading = 1, .offset = 1};
      cases.push_back({fmt::format("Rope of {} {}", dim, interleaved), [=](Builder& b) {
                         const auto tables = b.graph().AddMany(kRopeTable2d, Attributes::Of(table),
                                                               {}, Path("tables"));
                         const Value x = b.Input("x", {2, 7, 3 * dim});
                         b.Output(nn::Rotate(x, tables[0], tables[1], {3, interleaved}, Path("y")));
                       }});
      // Queries and keys that nothing else reads: attention takes the rotation over.
      cases.push_back(
          {fmt::format("Rotary attention of {} {}", dim, interleaved),
           [=](Builder& b) {
             const auto tables =
                 b.graph().AddMany(kRopeTable2d, Attributes::Of(table), {}, Path("tables"));
             const auto rotated = [&](const char* name) {
               const Value x = b.Input(name, {2, 7, 3 * dim});
               return nn::Rotate(x, tables[0], tables[1], {3, interleaved},
                                 Path(name) / "#rotated");
             };
             const Attention attention{.heads = 3, .kv_heads = 3, .scale = 0.25};
             b.Output(nn::Attention(rotated("q"), rotated("k"), b.Input("v", {2, 7, 3 * dim}),
                                    attention, Path("y")));
           },
           dim + 7});
    }
  }
  for (GridResampling resampling :
       {GridResampling::kBicubic, GridResampling::kBicubicAntialias, GridResampling::kBilinear}) {
    for (const auto& [rows, columns] : {std::pair{4, 5}, {7, 3}, {1, 1}}) {
      cases.push_back({fmt::format("ResizeGrid to {} x {}", rows, columns), [=](Builder& b) {
                         const Value x = b.Input("x", {4, 5, 6});
                         b.Output(b.Add(kResizeGrid, ResizeGrid{resampling, rows, columns}, {x}));
                       }});
    }
  }
}

void AddGathers(std::vector<Case>& cases) {
  static constexpr int32_t kIds[] = {3, 0, 3, 1, 2, 0};
  static constexpr float kFloatIds[] = {2, 1, 0, 3, 3, 1};
  const NamedViews given = {{"ids", TensorView{kIds, DType::kI32, Shape{2, 3}}},
                            {"places", TensorView{kFloatIds, DType::kF32, Shape{2, 3, 1}}}};
  for (int64_t size : kSizes) {
    cases.push_back({fmt::format("Gather rows of {}", size),
                     [=](Builder& b) {
                       const Value ids = b.graph().Input("ids", DType::kI32, {2, 3});
                       Value places = b.graph().Input("places", DType::kF32, {2, 3, 1});
                       places = nn::Reshape(places, {2, 3}, Path("#places"));
                       b.Output(nn::Gather(b.Input("x", {4, size}), ids, Path("y")));
                       b.Output(nn::Gather(b.Input("z", {4, 2, size}), places, Path("z#y")));
                       b.Output(nn::Embedding(ids, Path("table"), 4, size));
                     },
                     1,
                     {},
                     given});
  }
}

// Two pictures of 2 x 4 and 4 x 2 patches, whose tokens two sequences share out.
void AddPictureGrids(std::vector<Case>& cases) {
  static constexpr int32_t kGrids[] = {1, 2, 4, 1, 4, 2};
  static constexpr int32_t kIds[] = {5, 9, 9, 2, 9, 9};
  static constexpr int32_t kPositions[] = {0, 1, 1, 2, 0, 1, 0, 1, 2, 2, 0, 1, 0, 3, 1, 2, 7, 1};
  const NamedViews given = {{"grids", TensorView{kGrids, DType::kI32, Shape{2, 3}}},
                            {"ids", TensorView{kIds, DType::kI32, Shape{2, 3}}},
                            {"positions", TensorView{kPositions, DType::kI32, Shape{3, 2, 3}}}};
  const auto grids = [](Builder& b) { return b.graph().Input("grids", DType::kI32, {2, 3}); };
  for (int64_t width : {1, 16, 33}) {
    cases.push_back({fmt::format("Positions and merging of grids, {} wide", width),
                     [=](Builder& b) {
                       const Value table = b.Weight("table", Shape{3, 3, width}), of = grids(b);
                       const Value x = b.Add(kGridPositions, GridPositions{16}, {table, of});
                       b.Output(x);
                       b.Output(b.Add(kMergeGrid, MergeGrid{2}, {b.Input("x", {16, width}), of}));
                     },
                     4,
                     {},
                     given});
    cases.push_back({fmt::format("Pictures among tokens, {} wide", width),
                     [=](Builder& b) {
                       const Value ids = b.graph().Input("ids", DType::kI32, {2, 3});
                       b.Output(
                           b.Add(kPlacePictures, PlacePictures{9, ""},
                                 {b.Input("x", {2, 3, width}), ids, b.Input("y", {4, width})}));
                     },
                     1,
                     {},
                     given});
  }
  for (int64_t dim : {4, 20, 72}) {
    const auto rotated = [](Builder& b, const char* name, const Dims& shape,
                            const std::vector<Value>& tables) {
      return nn::Rotate(b.Input(name, shape), tables[0], tables[1],
                        {.heads = 2, .interleaved = false}, Path(name) / "#rotated");
    };
    cases.push_back(
        {fmt::format("Attention within pictures, heads {} wide", dim),
         [=](Builder& b) {
           const Value of = grids(b);
           const Value segments = b.Add(kGridSegments, GridSegments{16}, {of});
           const auto tables = b.graph().AddMany(
               kGridRotary, Attributes::Of(GridRotary{16, dim, 100.0}), {of}, Path("tables"));
           const Dims shape = {16, 2 * dim};
           b.Output(nn::PackedAttention(
               rotated(b, "q", shape, tables), rotated(b, "k", shape, tables), b.Input("v", shape),
               segments, {.heads = 2, .kv_heads = 2, .scale = 0.25}, Path("y")));
         },
         dim + 16,
         {},
         given});
    const MultimodalRopeTable table{dim, 100.0, {dim / 4, dim / 4, 0}};
    cases.push_back(
        {fmt::format("Rope by each sequence's positions, heads {} wide", dim),
         [=](Builder& b) {
           const Value at = b.graph().Input("positions", DType::kI32, {3, 2, 3});
           const auto tables =
               b.graph().AddMany(kMultimodalRopeTable, Attributes::Of(table), {at}, Path("tables"));
           b.Output(rotated(b, "x", {2, 3, 2 * dim}, tables));
           const Value q = rotated(b, "q", {2, 3, 2 * dim}, tables);
           const Value k = rotated(b, "k", {2, 3, 2 * dim}, tables);
           const Attention attention{.heads = 2, .kv_heads = 2, .scale = 0.25};
           b.Output(nn::Attention(q, k, b.Input("v", {2, 3, 2 * dim}), attention, Path("y")));
         },
         dim + 3,
         {},
         given});
  }
}

struct AttentionSizes {
  int64_t queries, keys, dim;
};

void AddAttention(std::vector<Case>& cases) {
  for (const auto& [queries, keys, dim] :
       {AttentionSizes{1, 1, 1}, {5, 5, 16}, {7, 33, 17}, {17, 16, 64}, {65, 67, 33}}) {
    for (AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
      if (mask == AttentionMask::kCausal && queries > keys) continue;
      for (int kv_heads : {1, 4}) {
        const Attention attention{4, kv_heads, 1.0 / std::sqrt(static_cast<double>(dim)), mask};
        const auto build = [=, q = queries, k = keys, d = dim](Builder& b, bool biased) {
          const Value query = b.Input("q", {2, q, 4 * d}), key = b.Input("k", {2, k, kv_heads * d});
          std::vector<Value> inputs = {query, key, b.Input("v", {2, k, kv_heads * d})};
          if (biased) inputs.push_back(b.Input("bias", {4, q, k}));
          b.Output(b.Add(kAttention, attention, inputs));
        };
        const std::string name =
            fmt::format("Attention {} x {} of {}, {} kv heads", queries, keys, dim, kv_heads);
        cases.push_back({name, [=](Builder& b) { build(b, false); }, keys + dim});
        cases.push_back({name + ", biased", [=](Builder& b) { build(b, true); }, keys + dim});
      }
    }
  }
  static constexpr int32_t kOffsets[] = {0, 3, 3, 9};
  cases.push_back({"Attention in segments",
                   [](Builder& b) {
                     const Value q = b.Input("q", {9, 32}), k = b.Input("k", {9, 32});
                     b.Output(b.Add(kAttention, Attention{.heads = 2, .kv_heads = 2, .scale = 0.25},
                                    {q, k, b.Input("v", {9, 32}), {}, b.Offsets("offsets", 4)}));
                   },
                   32,
                   {},
                   {{"offsets", TensorView{kOffsets, DType::kI32, Shape{4}}}}});
}

// Entries whose visible keys stand first and entries with gaps, in one batch or apart.
void AddMaskedAttention(std::vector<Case>& cases) {
  static constexpr float kPadded[] = {1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0};
  static constexpr float kGaps[] = {1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0};
  for (const auto& [name, visible] : {std::pair{"padded", kPadded}, {"with gaps", kGaps}}) {
    for (int64_t dim : {5, 16}) {
      cases.push_back(
          {fmt::format("Attention over visible keys of {}, {}", dim, name),
           [=](Builder& b) {
             const Value q = b.Input("q", {2, 7, 3 * dim}), k = b.Input("k", {2, 7, 3 * dim});
             const Value mask = b.graph().Input("visible", DType::kF32, {2, 7});
             b.Output(nn::MaskedAttention(q, k, b.Input("v", {2, 7, 3 * dim}), mask,
                                          {.heads = 3, .kv_heads = 3, .scale = 1.0}, Path("y")));
           },
           dim + 7,
           {},
           {{"visible", TensorView{visible, DType::kF32, Shape{2, 7}}}}});
    }
  }
}

struct ConvCase {
  int64_t in, out, kernel, stride, groups, height, width;
};

// Every form that the families have, at widths around the panels of packed weights, with maps
// smaller than the kernel, and with more windows than a tile holds.
void AddConvolutions(std::vector<Case>& cases) {
  constexpr ConvCase kCases[] = {
      {3, 16, 7, 2, 1, 20, 13}, {8, 17, 1, 1, 1, 6, 7},   {16, 64, 1, 2, 1, 7, 9},
      {5, 33, 3, 1, 1, 9, 11},  {16, 70, 3, 2, 1, 11, 8}, {8, 12, 3, 1, 4, 5, 6},
      {4, 8, 3, 1, 1, 1, 1},    {6, 5, 3, 2, 1, 1, 2},    {2, 4, 3, 1, 1, 24, 25}};
  for (const ConvCase& c : kCases) {
    const nn::Convolution plain{
        .out = c.out, .kernel = c.kernel, .stride = c.stride, .groups = c.groups};
    nn::Convolution biased = plain;
    biased.bias = true;
    cases.push_back({fmt::format("Conv {} -> {} of {}x{} by {} in {} groups on {}x{}", c.in, c.out,
                                 c.kernel, c.kernel, c.stride, c.groups, c.height, c.width),
                     [=](Builder& b) {
                       const Value x = b.Input("x", {2, c.in, c.height, c.width});
                       b.Output(nn::Conv(x, plain, Path("plain"), Path("plain")));
                       Value y = nn::Conv(x, biased, Path("biased"), Path("biased"));
                       y = nn::BatchNorm(y, 1e-5, Path("norm"), Path("norm"));
                       b.Output(nn::Activate(y, ActivationKind::kRelu, Path("relu")));
                     },
                     c.in / c.groups * c.kernel * c.kernel});
  }
  cases.push_back({"Conv whose map is read by rows",
                   [](Builder& b) {
                     const Value x = b.Input("x", {2, 3, 4, 5});
                     const Value y = nn::Conv(x, {.out = 6, .kernel = 3}, Path("a"), Path("a"));
                     b.Output(b.Add(kTranspose, Transpose{{0, 2, 3, 1}}, {y}));
                     b.Output(nn::Conv(y, {.out = 2, .kernel = 1}, Path("b"), Path("b")));
                   },
                   27 * 6});
  cases.push_back({"Conv with norm, residual and ReLU",
                   [](Builder& b) {
                     const Value x = b.Input("x", {2, 6, 9, 10});
                     const nn::Convolution conv{.out = 6, .kernel = 3};
                     Value y = nn::Conv(x, conv, Path("conv"), Path("conv"));
                     y = nn::BatchNorm(y, 1e-5, Path("norm"), Path("norm"));
                     y = nn::Add(y, x, Path("sum"));
                     y = nn::Activate(y, ActivationKind::kRelu, Path("relu"));
                     Value z = nn::Conv(y, conv, Path("lateral"), Path("lateral"));
                     b.Output(nn::Add(x, z, Path("other_sum")));
                     b.Output(nn::Activate(z, ActivationKind::kRelu, Path("read_twice")));
                   },
                   54 * 54});
}

void AddMapOps(std::vector<Case>& cases) {
  for (int64_t width : {1, 2, 7, 16, 17}) {
    cases.push_back(
        {fmt::format("MaxPool of maps {} wide", width), [=](Builder& b) {
           const Value x = b.Input("x", {2, 3, 5, width});
           b.Output(nn::MaxPool(x, {.kernel = 3, .stride = 2, .padding = 1}, Path("padded")));
           b.Output(nn::MaxPool(x, {.kernel = 2, .stride = 2, .ceil_mode = true}, Path("halves")));
         }});
    cases.push_back(
        {fmt::format("ResizeMap of maps {} wide", width), [=](Builder& b) {
           const Value x = b.Input("x", {2, 3, 4, width});
           const Value like = b.Input("like", {2, 1, 9, width * 2 + 1});
           const Value other = b.Input("other", {2, 3, 9, width * 2 + 1});
           for (MapResampling by : {MapResampling::kNearest, MapResampling::kBilinear}) {
             b.Output(nn::Add(other, nn::ResizeLike(x, other, by, Path("upper")), Path("sum")));
             b.Output(nn::Doubled(x, by, Path("doubled")));
             b.Output(nn::ResizeLike(x, like, by, Path("larger")));
             b.Output(nn::ResizeLike(like, x, by, Path("smaller")));
           }
         }});
    cases.push_back({fmt::format("Norms of maps {} wide", width),
                     [=](Builder& b) {
                       const Value x = b.Input("x", {2, 6, 5, width});
                       b.Output(nn::BatchNorm(x, 1e-5, Path("batch"), Path("batch")));
                       b.Output(nn::GroupNorm(x, 3, 1e-5, Path("group"), Path("group")));
                       const Value flat = b.Input("flat", {3, width});
                       b.Output(nn::BatchNorm(flat, 1e-5, Path("flat_norm"), Path("flat_norm")));
                       const Value read = nn::GroupNorm(x, 2, 1e-5, Path("relu"), Path("relu"));
                       b.Output(nn::Activate(read, ActivationKind::kRelu, Path("relu#out")));
                     },
                     15 * width});
    // Between convolutions maps lie as those like it, and as bf16 where those multiply it.
    cases.push_back(
        {fmt::format("Maps {} wide between convolutions", width),
         [=](Builder& b) {
           const nn::Convolution conv{.out = 6, .kernel = 3};
           Value x = nn::Conv(b.Input("x", {2, 3, 5, width}), conv, Path("a"), Path("a"));
           x = nn::GroupNorm(x, 2, 1e-5, Path("norm"), Path("norm"));
           x = nn::Activate(x, ActivationKind::kRelu, Path("relu"));
           const Value large = nn::Conv(b.Input("z", {2, 3, 10, width * 2}), conv, Path("lateral"),
                                        Path("lateral"));
           Value y = nn::Doubled(x, MapResampling::kNearest, Path("upper"));
           y = nn::Concat({nn::Add(large, y, Path("sum")), large}, 1, Path("both"));
           y = nn::MaxPool(y, {.kernel = 3, .stride = 2, .padding = 1}, Path("pool"));
           b.Output(nn::Conv(y, {.out = 4, .kernel = 1}, Path("end"), Path("end")));
         },
         27 * 12 * 4});
  }
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  AddLinears(cases);
  AddElementwise(cases);
  AddDistanceBias(cases);
  AddRows(cases);
  AddMovement(cases);
  AddPositions(cases);
  AddGathers(cases);
  AddPictureGrids(cases);
  AddAttention(cases);
  AddMaskedAttention(cases);
  AddConvolutions(cases);
  AddMapOps(cases);
  return cases;
}

// In f32 partial sums of n products of values up to 1 grow as sqrt(n), every addition rounds by
// 2^-24 of them, and n such errors add up as sqrt(n) again: n * 2^-24; 16 more for approximated
// exponentials. In bf16 both factors of each product round by 2^-9: sqrt(n) * 2^-8. Weights in 8
// bits round by 1/254 of the largest of them, which is at most 2^-7 of values up to 1 beside
// bf16's. Four times that is beyond the tail of some ten thousand elements.
double Allowed(const Case& c, const std::string& dtype, double magnitude) {
  const double n = static_cast<double>(c.sum_length), scale = std::max(1.0, magnitude);
  const double f32 = (n + 16) * std::ldexp(1.0, -24) * scale;
  if (dtype == "f32") return 4 * f32;
  return 4 * (f32 + std::sqrt(n) * std::ldexp(1.0, dtype == "bf16" ? -8 : -7) * scale);
}

struct Device {
  std::string name;
  std::unique_ptr<Backend> backend;
  std::string dtype;
  int threads;
};

std::vector<Device> Devices() {
  std::vector<Device> devices;
  for (Isa isa : Cpu().isas) {
    for (const char* dtype : {"f32", "bf16", "int8"}) {
      devices.push_back({fmt::format("cpu {} {}", Name(isa), dtype),
                         MakeCpuBackend({.isa = isa, .onednn = OnednnUse::kNever}), dtype,
                         dtype == std::string("f32") ? 1 : 2});
    }
  }
  return devices;
}

void CompareWithReference(const Case& c, const Device& device, bool strided) {
  SCOPED_TRACE(fmt::format("{}{} on {}", c.name, strided ? ", strided" : "", device.name));
  const Graph graph = BuildCase(c, strided);
  GraphRun how{.options = {.backend = &RefBackend()}, .range = c.range, .given = c.given};
  const NamedTensors expected = RunGraph(graph, how);
  how.options.backend = device.backend.get();
  how.options.threads = device.threads;
  how.options.precision = PresetRules(device.dtype, {});
  const NamedTensors found = RunGraph(graph, how);
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(found.at(name).shape().ToString(), tensor.shape().ToString());
    EXPECT_LE(LargestDifference(found.at(name), tensor),
              Allowed(c, device.dtype, LargestMagnitude(tensor)))
        << name;
  }
}

TEST(Conformance, OfEveryOpOnEveryBackendHolds) {
  const std::vector<Device> devices = Devices();
  for (const Case& c : AllCases()) {
    for (const Device& device : devices) {
      CompareWithReference(c, device, false);
      CompareWithReference(c, device, true);
      if (HasFatalFailure()) return;
    }
  }
}

// Winograd's form wherever it fits, however few the channels.
TEST(Conformance, OfConvolutionsByWinogradsFormHolds) {
  std::vector<Case> cases;
  for (const auto& [in, out] : {std::pair<int64_t, int64_t>{1, 1}, {5, 17}, {33, 70}}) {
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{1, 1}, {4, 8}, {7, 13}}) {
      cases.push_back({fmt::format("Convs {} -> {} on {}x{}", in, out, height, width),
                       [=](Builder& b) {
                         const Value x = b.Input("x", {2, 3, height, width});
                         const nn::Convolution to_in{.out = in, .kernel = 1};
                         const nn::Convolution conv{.out = out, .kernel = 3};
                         const Value maps = nn::Conv(x, to_in, Path("in"), Path("in"));
                         Value y = nn::Conv(maps, conv, Path("first"), Path("first"));
                         y = nn::BatchNorm(y, 1e-5, Path("norm"), Path("norm"));
                         y = nn::Activate(y, ActivationKind::kRelu, Path("relu"));
                         Value z = nn::Conv(y, conv, Path("second"), Path("second"));
                         z = nn::Add(z, y, Path("sum"));
                         b.Output(nn::Activate(z, ActivationKind::kRelu, Path("end")));
                       },
                       // Its fp32 loses about a digit of the direct sums', its bf16 half of one.
                       16 * (9 * in + 9 * out)});
    }
  }
  for (Isa isa : Cpu().isas) {
    for (const char* dtype : {"f32", "bf16"}) {
      const Device device{fmt::format("cpu {} {}", Name(isa), dtype),
                          MakeCpuBackend({.isa = isa, .winograd = WinogradUse::kAlways}), dtype, 2};
      for (const Case& c : cases) CompareWithReference(c, device, false);
    }
  }
}

// Appending two pieces and attending over them is causal attention over both at once.
TEST(Conformance, OfTheKeyValueCacheHolds) {
  constexpr int64_t kRows = 2, kWidth = 16, kTokens = 70;  // more than one block of the cache
  Graph graph("cached");
  const Value cache =
      graph.State("cache", {DType::kF32, {kRows, 2 * KvView::kBlockTokens, kWidth}});
  const Value q = graph.Input("q", DType::kF32, {kRows, kTokens, 2 * kWidth});
  const Value k = graph.Input("k", DType::kF32, {kRows, kTokens, kWidth});
  const Value v = graph.Input("v", DType::kF32, {kRows, kTokens, kWidth});
  const Value longer =
      graph.Add(kKvAppend, Attributes::Of(KvAppend{}), {cache, k, v}, Path("append"));
  const CachedAttention cached{.heads = 4, .kv_heads = 2, .scale = 0.5};
  graph.MarkOutput(graph.Add(kCachedAttention, Attributes::Of(cached), {q, longer}, Path("cached")),
                   "cached");
  const Attention plain{4, 2, 0.5, AttentionMask::kCausal};
  graph.MarkOutput(graph.Add(kAttention, Attributes::Of(plain), {q, k, v}, Path("plain")), "plain");
  for (const Device& device : Devices()) {
    SCOPED_TRACE(device.name);
    KvState state(kRows, kTokens, {2, kWidth / 2});
    const GraphRun how{.options = {.backend = device.backend.get()},
                       .run = {.states = {{"cache", &state.view()}}}};
    const NamedTensors found = RunGraph(graph, how);
    EXPECT_EQ(state.length(0), kTokens);
    // As in Allowed: sums over the head's 8 channels and up to 70 keys.
    EXPECT_LE(LargestDifference(found.at("cached"), found.at("plain")),
              4 * (8 + kTokens + 16) * std::ldexp(1.0, -24));
  }
}

// A bias by distance is a plain bias, and rows that share a slot are rows with equal keys.
TEST(Conformance, OfCachedAttentionWithBiasAndSlotsHolds) {
  constexpr int64_t kRows = 3, kHeads = 2, kWidth = 16, kTokens = 70, kCapacity = 128;
  static constexpr int32_t kSlots[kRows] = {0, 1, 1};
  Graph graph("shared");
  const Value cache = graph.State("cache", {DType::kF32, {2, kCapacity, kWidth}});
  const Value q = graph.Input("q", DType::kF32, {kRows, kTokens, kWidth});
  const Value k = graph.Input("k", DType::kF32, {2, kTokens, kWidth});
  const Value v = graph.Input("v", DType::kF32, {2, kTokens, kWidth});
  const Value slots = graph.Input("slots", DType::kI32, {kRows});
  const Value bias = graph.Input("bias", DType::kF32, {kHeads, kCapacity});
  const Value longer =
      graph.Add(kKvAppend, Attributes::Of(KvAppend{}), {cache, k, v}, Path("append"));
  for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
    const CachedAttention cached{kHeads, kHeads, 0.5, mask};
    const bool causal = mask == AttentionMask::kCausal;
    const std::string name = causal ? "causal" : "all";
    const Value y = graph.Add(kCachedAttention, Attributes::Of(cached),
                              {q, longer, causal ? bias : Value(), slots}, Path(name));
    graph.MarkOutput(y, name);
  }
  const auto rows_of = [](const Tensor& of_slots) {
    Tensor rows(DType::kF32, {kRows, kTokens, kWidth});
    for (int64_t row = 0; row < kRows; ++row) {
      const auto from =
          of_slots.as<float>().subspan(static_cast<size_t>(kSlots[row] * kTokens * kWidth),
                                       static_cast<size_t>(kTokens * kWidth));
      std::ranges::copy(from, rows.as<float>().begin() + row * kTokens * kWidth);
    }
    return rows;
  };
  const Tensor key = Wave({2, kTokens, kWidth}, 0.3), value = Wave({2, kTokens, kWidth}, 0.4);
  const Tensor distances = Wave({kHeads, kCapacity}, 0.9);
  Tensor table(DType::kF32, {kHeads, kTokens, kTokens});
  for (int64_t i = 0; i < table.shape().elements(); ++i) {
    const int64_t head = i / (kTokens * kTokens), t = i / kTokens % kTokens, s = i % kTokens;
    table.as<float>()[static_cast<size_t>(i)] =
        s > t ? 0 : distances.as<float>()[static_cast<size_t>(head * kCapacity + t - s)];
  }
  Graph plain("plain");
  const Value plain_q = plain.Input("q", DType::kF32, {kRows, kTokens, kWidth});
  const Value plain_k = plain.Input("k", DType::kF32, {kRows, kTokens, kWidth});
  const Value plain_v = plain.Input("v", DType::kF32, {kRows, kTokens, kWidth});
  const Value plain_bias = plain.Input("bias", DType::kF32, {kHeads, kTokens, kTokens});
  plain.MarkOutput(
      plain.Add(kAttention, Attributes::Of(Attention{kHeads, kHeads, 0.5, AttentionMask::kCausal}),
                {plain_q, plain_k, plain_v, plain_bias}, Path("causal")),
      "causal");
  plain.MarkOutput(plain.Add(kAttention, Attributes::Of(Attention{kHeads, kHeads, 0.5}),
                             {plain_q, plain_k, plain_v}, Path("all")),
                   "all");
  const Tensor query = Wave({kRows, kTokens, kWidth}, 0.2);
  const Tensor all_keys = rows_of(key), all_values = rows_of(value);
  const NamedTensors expected = RunGraph(plain, {.options = {.backend = &RefBackend()},
                                                 .given = {{"q", query.view()},
                                                           {"k", all_keys.view()},
                                                           {"v", all_values.view()},
                                                           {"bias", table.view()}}});
  for (const Device& device : Devices()) {
    SCOPED_TRACE(device.name);
    KvState state(2, kCapacity, {kHeads, kWidth / kHeads});
    const NamedTensors found = RunGraph(graph, {.options = {.backend = device.backend.get()},
                                                .run = {.states = {{"cache", &state.view()}}},
                                                .given = {
                                                    {"q", query.view()},
                                                    {"k", key.view()},
                                                    {"v", value.view()},
                                                    {"slots", {kSlots, DType::kI32, {kRows}}},
                                                    {"bias", distances.view()},
                                                }});
    for (const auto& [name, tensor] : expected) {
      EXPECT_LE(LargestDifference(found.at(name), tensor),
                4 * (8 + kTokens + 16) * std::ldexp(1.0, -24))
          << name;
    }
  }
}

TEST(Conformance, ReachesEveryOpOfTheTable) {
  std::set<std::string> reached = {kKvAppend.name, kCachedAttention.name};  // the tests above
  const auto backend = MakeCpuBackend({});
  for (const Case& c : AllCases()) {
    const Graph graph = BuildCase(c, false);
    for (const Node& node : graph.nodes()) reached.insert(node.op->name);
    const auto program =
        Program::Compile(graph, ToyWeights(graph).Store(),
                         {.backend = backend.get(), .precision = PresetRules("bf16", {})});
    for (const Node& node : program->graph().nodes()) reached.insert(node.op->name);
  }
  for (const OpDef* op : AllOps()) {
    EXPECT_TRUE(reached.contains(op->name)) << op->name << " has no case in this file";
  }
}

TEST(Conformance, OfCompositesWithTheirDecompositionsHolds) {
  std::set<std::string> decomposed;
  for (const Case& c : AllCases()) {
    Graph graph = BuildCase(c, false);
    const std::vector<Node> nodes = graph.nodes();
    for (const Node& node : nodes) {
      if (node.op->decompose == nullptr) continue;
      const std::vector<int> ids = node.op->decompose(graph, node);
      if (ids.empty()) continue;  // a form that stays whole
      decomposed.insert(node.op->name);
      graph.MarkOutput({&graph, node.outputs[0]}, "whole " + node.name);
      graph.MarkOutput({&graph, ids[0]}, "parts " + node.name);
    }
    const NamedTensors found = RunGraph(
        graph, {.options = {.backend = &RefBackend()}, .range = c.range, .given = c.given});
    for (const auto& [name, whole] : found) {
      if (!name.starts_with("whole ")) continue;
      const Tensor& parts = found.at("parts " + name.substr(6));
      ASSERT_EQ(parts.shape().ToString(), whole.shape().ToString()) << c.name;
      // Intermediate values round to f32 in the parts alone.
      EXPECT_LE(LargestDifference(parts, whole), Allowed(c, "f32", LargestMagnitude(whole)))
          << c.name << ": " << name;
    }
  }
  for (const OpDef* op : AllOps()) {
    EXPECT_EQ(op->decompose != nullptr, decomposed.contains(op->name)) << op->name;
  }
}

}  // namespace
}  // namespace vernier
