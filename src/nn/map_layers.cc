#include "nn/map_layers.h"

#include "ops/conv.h"
#include "ops/norm.h"

namespace vernier::nn {
namespace {

template <typename T>
Value AddNode(const OpDef& op, T attributes, std::vector<Value> inputs, const Path& at) {
  Graph& graph = *inputs.front().graph;
  return graph.Add(op, Attributes::Of(std::move(attributes)), std::move(inputs), at);
}

}  // namespace

Value Conv(Value x, const Convolution& conv, const Path& weights, const Path& at) {
  Graph& graph = *x.graph;
  const int64_t in = x.dim(1).constant() / conv.groups;
  std::vector<Value> inputs = {
      x, graph.Weight(weights / "weight", Shape{conv.out, in, conv.kernel, conv.kernel})};
  if (conv.bias) inputs.push_back(graph.Weight(weights / "bias", Shape{conv.out}));
  return AddNode(kConv2d,
                 Conv2d{.stride = conv.stride, .padding = conv.kernel / 2, .groups = conv.groups},
                 std::move(inputs), at);
}

Value BatchNorm(Value x, double eps, const Path& weights, const Path& at) {
  std::vector<Value> inputs = {x};
  for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
    inputs.push_back(x.graph->Weight(weights / part, Shape{x.dim(1).constant()}));
  }
  return AddNode(kBatchNorm, vernier::BatchNorm{eps}, std::move(inputs), at);
}

Value GroupNorm(Value x, int64_t groups, double eps, const Path& weights, const Path& at) {
  std::vector<Value> inputs = {x};
  for (const char* part : {"weight", "bias"}) {
    inputs.push_back(x.graph->Weight(weights / part, Shape{x.dim(1).constant()}));
  }
  return AddNode(kGroupNorm, vernier::GroupNorm{groups, eps}, std::move(inputs), at);
}

Value MaxPool(Value x, const MaxPool2d& pool, const Path& at) {
  return AddNode(kMaxPool2d, pool, {x}, at);
}

Value ResizeLike(Value x, Value like, MapResampling resampling, const Path& at) {
  return AddNode(kResizeMap, ResizeMap{resampling, like.dim(2), like.dim(3)}, {x}, at);
}

Value Doubled(Value x, MapResampling resampling, const Path& at) {
  return AddNode(kResizeMap, ResizeMap{resampling, x.dim(2) * 2, x.dim(3) * 2}, {x}, at);
}

}  // namespace vernier::nn
