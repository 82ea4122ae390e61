#include "passes/pass.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr Pass kPasses[] = {
    {"drop_unused", "leave out nodes that no output needs", DropUnused},
    {"precision", "give each node the numbers that the precision rules name", AssignPrecision},
    {"fold_batch_norm", "fold batch norms into the convolutions and linears before them",
     FoldBatchNorm},
    {"fuse_maps", "absorb ReLU into group norms, and sums into the resizing of maps", FuseMaps},
    {"fuse_convolutions", "absorb residual and ReLU into convolutions", FuseConvolutions},
    {"fuse_gates", "multiply gate and value of a feed-forward in one product", FuseGates},
    {"fuse_projections", "join linears of one input into one product", FuseProjections},
    {"fuse_epilogue", "absorb activation, layer scale and residual into linears", FuseEpilogue},
    {"fuse_rotary", "rotate queries and keys inside attention", FuseRotary},
    {"casts", "store values between bf16 nodes as bf16", PlaceCasts},
    {"layouts", "let maps of convolutional nets lie channels-last", ChooseLayouts},
};

}  // namespace

std::span<const Pass> AllPasses() { return kPasses; }

void RunPasses(Graph& graph, const PassContext& context, const std::vector<std::string>& disabled,
               const std::function<void(std::string_view, const Graph&)>& observe) {
  for (const std::string& name : disabled) {
    if (std::ranges::find(kPasses, name, &Pass::name) != std::end(kPasses)) continue;
    std::vector<std::string> names;
    for (const Pass& pass : kPasses) names.emplace_back(pass.name);
    throw Error(ErrorKind::kUsage, fmt::format("unknown pass '{}'", name),
                fmt::format("the passes are {}", fmt::join(names, ", ")));
  }
  for (const Pass& pass : kPasses) {
    if (std::ranges::count(context.wanted, pass.name) == 0) continue;
    if (std::ranges::count(disabled, pass.name) > 0) continue;
    pass.run(graph, context);
    Verify(graph);
    if (observe) observe(pass.name, graph);
  }
}

}  // namespace vernier
