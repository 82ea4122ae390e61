// ResNet of bottleneck blocks (He et al. 2016) as detectron2 builds it.
#include <array>

#include "models/blendmask/blocks.h"
#include "nn/layers.h"

namespace vernier::blendmask {
namespace {

struct Block {
  int64_t middle;
  int64_t out;
  int64_t stride;
};

Value Stem(Value x, const BlendMaskConfig& c, const Path& at) {
  x = ConvWithNorm(x, {.out = c.stem_channels, .kernel = 7, .stride = 2}, c.body_norm,
                   at / "conv1");
  x = Relu(x, at / "#relu");
  return nn::MaxPool(x, {.kernel = 3, .stride = 2, .padding = 1}, at);
}

Value Bottleneck(Value x, const Block& block, const BlendMaskConfig& c, const Path& at) {
  const int64_t first_stride = c.stride_in_1x1 ? block.stride : 1;
  const nn::Convolution first{.out = block.middle, .kernel = 1, .stride = first_stride};
  const nn::Convolution second{
      .out = block.middle, .kernel = 3, .stride = block.stride / first_stride, .groups = c.groups};
  Value y = Relu(ConvWithNorm(x, first, c.body_norm, at / "conv1"), at / "#relu1");
  y = Relu(ConvWithNorm(y, second, c.body_norm, at / "conv2"), at / "#relu2");
  y = ConvWithNorm(y, {.out = block.out, .kernel = 1}, c.body_norm, at / "conv3");
  if (!(x.dim(1) == Dim(block.out))) {
    x = ConvWithNorm(x, {.out = block.out, .kernel = 1, .stride = block.stride}, c.body_norm,
                     at / "shortcut");
  }
  return Relu(nn::Add(y, x, at / "#sum"), at);
}

std::array<int, 4> BlockCounts(int64_t depth) {
  if (depth == 50) return {3, 4, 6, 3};
  if (depth == 101) return {3, 4, 23, 3};
  return {3, 8, 36, 3};  // 152; the configuration allows no other
}

}  // namespace

Features ResNet(Value x, const BlendMaskConfig& c, const Path& at) {
  Graph& graph = *x.graph;
  x = Stem(x, c, at / "stem");
  graph.AddAlias(x, "stem");
  Features features;
  int64_t middle = c.groups * c.group_width, out = c.res2_channels;
  int stage = 2;
  for (int blocks : BlockCounts(c.depth)) {
    const std::string name = "res" + std::to_string(stage);
    for (int i = 0; i < blocks; ++i) {
      const int64_t stride = i == 0 && stage > 2 ? 2 : 1;
      x = Bottleneck(x, {.middle = middle, .out = out, .stride = stride}, c, at / name / i);
    }
    graph.AddAlias(x, (at / name).text());
    graph.AddAlias(x, name);
    features.emplace(name, x);
    middle *= 2;
    out *= 2;
    ++stage;
  }
  return features;
}

}  // namespace vernier::blendmask
