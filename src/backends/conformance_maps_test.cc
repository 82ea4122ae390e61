// Conformance of convolutions, by every form, and of other ops on maps.
#include "nn/map_layers.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/map_ops.h"
#include "ops/norm.h"
#include "ops/shape_ops.h"
#include "support/conformance.h"

namespace vernier {
namespace {

using testing::Builder;
using testing::Case;
using testing::Device;

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

}  // namespace

std::vector<Case> testing::MapCases() {
  std::vector<Case> cases;
  AddConvolutions(cases);
  AddMapOps(cases);
  return cases;
}

namespace {

TEST(Conformance, OfConvolutionsAndMapsHolds) {
  testing::CompareOnEveryDevice(testing::MapCases());
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
  std::vector<Device> devices;
  for (Isa isa : Cpu().isas) {
    for (const char* dtype : {"f32", "bf16"}) {
      devices.push_back({fmt::format("cpu {} {}", Name(isa), dtype),
                         MakeCpuBackend({.isa = isa, .winograd = WinogradUse::kAlways}), dtype, 2});
    }
  }
  for (const Case& c : cases) CompareWithReference(c, false, devices);
}

}  // namespace
}  // namespace vernier
