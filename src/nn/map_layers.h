// Building blocks of convolutional models, over maps [batch, channels, height, width].
#pragma once

#include "graph/graph.h"
#include "ops/map_ops.h"

namespace vernier::nn {

struct Convolution {
  int64_t out;
  int64_t kernel;  // square, padded by half of it
  int64_t stride = 1;
  int64_t groups = 1;
  bool bias = false;
};

/// Weights under `weights`; the node is named `at`.
Value Conv(Value x, const Convolution& conv, const Path& weights, const Path& at);
/// weights.weight, bias, running_mean and running_var.
Value BatchNorm(Value x, double eps, const Path& weights, const Path& at);
Value GroupNorm(Value x, int64_t groups, double eps, const Path& weights, const Path& at);
Value MaxPool(Value x, const MaxPool2d& pool, const Path& at);
/// To the height and width of `like`.
Value ResizeLike(Value x, Value like, MapResampling resampling, const Path& at);
/// To twice the height and width.
Value Doubled(Value x, MapResampling resampling, const Path& at);

}  // namespace vernier::nn
