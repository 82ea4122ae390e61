// Conformance of products, of what goes row by row or element by element, and of what moves rows.
#include "nn/layers.h"
#include "nn/map_layers.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/shape_ops.h"
#include "support/conformance.h"

namespace vernier {
namespace {

using testing::Builder;
using testing::Case;
using testing::kSizes;
using testing::ValueRange;

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

}  // namespace

std::vector<Case> testing::RowCases() {
  std::vector<Case> cases;
  AddLinears(cases);
  AddElementwise(cases);
  AddRows(cases);
  AddMovement(cases);
  AddGathers(cases);
  return cases;
}

namespace {

TEST(Conformance, OfRowsAndProductsHolds) { testing::CompareOnEveryDevice(testing::RowCases()); }

}  // namespace
}  // namespace vernier
