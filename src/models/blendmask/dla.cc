// DLA-34 (Yu et al. 2018, deep layer aggregation) as AdelaiDet builds it.
#include "models/blendmask/blocks.h"
#include "nn/layers.h"

namespace vernier::blendmask {
namespace {

// Deep layer aggregation: each tree joins what its two halves and its ancestors saw.
class Dla {
 public:
  explicit Dla(const BlendMaskConfig& config) : norm_(config.body_norm) {}

  // A convolution beside its norm, as in torch.nn.Sequential.
  Value ConvBeside(Value x, const nn::Convolution& conv, const Path& weights,
                   const Path& norm) const {
    x = nn::Conv(x, conv, weights, weights);
    return Norm(x, norm_, kGroups, norm, norm);
  }

  struct Tree {
    int64_t out;
    int depth;
    int64_t stride = 2;
    bool keeps_bottom = false;  // its pooled input goes to the root, too
    std::vector<Value> ancestors = {};
  };

  Value Grow(Value x, Tree tree, const Path& at) const {
    Value bottom = x;
    if (tree.stride > 1) {
      // Pictures are padded so that sizes halve exactly. Rounding up gives the size the form that
      // it has behind a convolution.
      bottom = nn::MaxPool(x, {.kernel = tree.stride, .stride = tree.stride, .ceil_mode = true},
                           at / "downsample");
    }
    if (tree.keeps_bottom) tree.ancestors.push_back(bottom);
    if (tree.depth == 1) return Leaf(x, bottom, tree, at);
    const Value first = Grow(x, {.out = tree.out, .depth = 1, .stride = tree.stride}, at / "tree1");
    tree.ancestors.push_back(first);
    Value whole =
        Grow(first, {.out = tree.out, .depth = 1, .stride = 1, .ancestors = tree.ancestors},
             at / "tree2");
    whole.graph->AddAlias(whole, at.text());
    return whole;
  }

 private:
  Value Leaf(Value x, Value bottom, const Tree& tree, const Path& at) const {
    Value residual = bottom;
    if (!(bottom.dim(1) == Dim(tree.out))) {
      const Path project = at / "project";
      residual = ConvBeside(bottom, {.out = tree.out, .kernel = 1}, project / 0, project / 1);
      residual.graph->AddAlias(residual, project.text());
    }
    const Value first = BasicBlock(x, residual, tree.out, tree.stride, at / "tree1");
    const Value second = BasicBlock(first, first, tree.out, 1, at / "tree2");
    std::vector<Value> joined = {second, first};
    joined.insert(joined.end(), tree.ancestors.begin(), tree.ancestors.end());
    const Path root = at / "root";
    Value y = nn::Concat(joined, 1, root / "#joined");
    y = ConvBeside(y, {.out = tree.out, .kernel = 1}, root / "conv", root / "bn");
    y = Relu(y, root);
    y.graph->AddAlias(y, at.text());
    return y;
  }

  Value BasicBlock(Value x, Value residual, int64_t out, int64_t stride, const Path& at) const {
    Value y = ConvBeside(x, {.out = out, .kernel = 3, .stride = stride}, at / "conv1", at / "bn1");
    y = Relu(y, at / "#relu1");
    y = ConvBeside(y, {.out = out, .kernel = 3}, at / "conv2", at / "bn2");
    return Relu(nn::Add(y, residual, at / "#sum"), at);
  }

  BlendMaskNorm norm_;
};

}  // namespace

Features Dla34(Value x, const BlendMaskConfig& c, const Path& at) {
  Graph& graph = *x.graph;
  const Dla dla(c);
  const auto layer = [&](Value in, const char* name, const nn::Convolution& conv) {
    const Path path = at / name;
    return Relu(dla.ConvBeside(in, conv, path / 0, path / 1), path);
  };
  x = layer(x, "base_layer", {.out = c.dla_channels[0], .kernel = 7});
  x = layer(x, "level0", {.out = c.dla_channels[0], .kernel = 3});
  x = layer(x, "level1", {.out = c.dla_channels[1], .kernel = 3, .stride = 2});
  graph.AddAlias(x, "level1");
  Features features;
  constexpr int kDepths[] = {1, 2, 2, 1};
  for (size_t level = 2; level <= 5; ++level) {
    const std::string name = "level" + std::to_string(level);
    x = dla.Grow(
        x, {.out = c.dla_channels[level], .depth = kDepths[level - 2], .keeps_bottom = level > 2},
        at / name);
    graph.AddAlias(x, name);
    features.emplace(name, x);
  }
  return features;
}

}  // namespace vernier::blendmask
