// Feature pyramid (Lin et al. 2017) with the two coarser levels of FCOS.
#include "models/blendmask/blocks.h"
#include "nn/layers.h"

namespace vernier::blendmask {
namespace {

// The lateral map and the upper one, which is half its size.
Value TopDown(Value lateral, Value upper, bool average, const Path& at) {
  upper = nn::ResizeLike(upper, lateral, MapResampling::kNearest, at / "#upper");
  const Value sum = nn::Add(lateral, upper, at / "#sum");
  if (!average) return sum;
  Graph& graph = *sum.graph;
  const Value half = graph.Add(kConstant, Attributes::Of(Constant{0.5f}), {}, at / "#half");
  return graph.Add(kBinary, Attributes::Of(Binary{BinaryKind::kMul}), {sum, half}, at / "#mean");
}

}  // namespace

Features FeaturePyramid(const Features& body, const BlendMaskConfig& c, const Path& at) {
  Graph& graph = *body.begin()->second.graph;
  const bool bias = c.fpn_norm == BlendMaskNorm::kNone;
  const nn::Convolution lateral_conv{.out = c.fpn_channels, .kernel = 1, .bias = bias};
  const nn::Convolution output_conv{.out = c.fpn_channels, .kernel = 3, .bias = bias};
  const std::string stage = c.body == BlendMaskBody::kResNet ? "res" : "level";
  Features pyramid;
  Value upper;
  for (int level : {5, 4, 3}) {
    const std::string number = std::to_string(level);
    const Path lateral = at / ("fpn_lateral" + number);
    Value x = ConvWithNorm(body.at(stage + number), lateral_conv, c.fpn_norm, lateral);
    if (upper.exists()) x = TopDown(x, upper, c.fpn_average, lateral);
    upper = x;  // the sum goes on down, not the output
    const Value output = ConvWithNorm(x, output_conv, c.fpn_norm, at / ("fpn_output" + number));
    pyramid.emplace("p" + number, output);
  }
  const nn::Convolution top_conv{.out = c.fpn_channels, .kernel = 3, .stride = 2, .bias = true};
  const Path top = at / "top_block";
  if (c.top_levels >= 1) {
    pyramid.emplace("p6", nn::Conv(pyramid.at("p5"), top_conv, top / "p6", top / "p6"));
  }
  if (c.top_levels >= 2) {
    const Value positive = Relu(pyramid.at("p6"), top / "#relu");
    pyramid.emplace("p7", nn::Conv(positive, top_conv, top / "p7", top / "p7"));
  }
  for (const auto& [name, value] : pyramid) graph.AddAlias(value, name);
  return pyramid;
}

}  // namespace vernier::blendmask
