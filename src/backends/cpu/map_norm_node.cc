// GroupNorm and BatchNorm of maps on the CPU. A group's moments are joined from those of pieces of
// pixels that are cut without regard to threads, so that results do not depend on their number.
#include <algorithm>
#include <cmath>

#include "backends/cpu/map_view.h"
#include "backends/cpu/nodes.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "kernels/cpu/channel_norm.h"
#include "ops/norm.h"

namespace vernier {
namespace {

// The pieces of a map: runs of pixels that lie evenly, kMomentPixels at most.
struct Pieces {
  explicit Pieces(const MapView& map)
      : runs(map.unbroken() ? 1 : map.height),
        run_pixels(map.unbroken() ? map.pixels() : map.width),
        in_run(CeilDiv(run_pixels, kMomentPixels)) {}

  int64_t in_plane() const { return runs * in_run; }

  int64_t runs, run_pixels, in_run;
};

struct Piece {
  int64_t plane, line, column, pixels;

  Piece(const Pieces& pieces, int64_t index)
      : plane(index / pieces.in_plane()),
        line(index % pieces.in_plane() / pieces.in_run),
        column(index % pieces.in_run * kMomentPixels),
        pixels(std::min(kMomentPixels, pieces.run_pixels - column)) {}
};

// y = (x - centre) * scale + shift in every plane, `factors` being rows of the three for the
// channels of each picture, or of all.
void ScaleMap(const RunArgs& args, const ChannelNormKernels& kernels, const float* factors,
              int64_t picture_step, bool relu) {
  const MapView x(args.inputs[0]), y(args.outputs[0]);
  const int64_t channels = args.inputs[0].shape[1], planes_of_picture = channels / x.channels;
  // Lines where either map is broken, else as large pieces as moments have.
  const Pieces pieces(x.unbroken() ? y : x);
  ParallelFor(args.threads, x.planes * pieces.in_plane(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece piece(pieces, i);
      const int64_t picture = piece.plane / planes_of_picture;
      const float* centre = factors + picture * picture_step + piece.plane % planes_of_picture;
      kernels.scale({.pixels = piece.pixels,
                     .channels = x.channels,
                     .in = x.ConstFrom(piece.plane, piece.line, piece.column),
                     .centre = centre,
                     .scale = centre + channels,
                     .shift = centre + 2 * channels,
                     .relu = relu,
                     .out = y.From(piece.plane, piece.line, piece.column)});
    }
  });
}

class GroupNormKernel final : public Kernel {
 public:
  GroupNormKernel(const FusedGroupNorm& norm, const BindArgs& args, Isa isa)
      : norm_(norm), kernels_(SelectChannelNorm(isa)), isa_(isa) {
    const MapView x(args.inputs[0]);
    moments_ = 3 * x.planes * Pieces(x).in_plane() * x.channels;
    factors_ = 3 * args.inputs[0].shape[0] * args.inputs[0].shape[1];
    group_channels_ = args.inputs[0].shape[1] / norm.norm.groups;
  }

  void Run(const RunArgs& args) const override {
    if (args.outputs[0].shape.elements() == 0) return;
    auto* moments = static_cast<float*>(args.scratch);
    SumMoments(args, moments);
    JoinMoments(args, moments, moments + moments_);
    ScaleMap(args, kernels_, moments + moments_, 3 * args.inputs[0].shape[1],
             norm_.activation == ActivationKind::kRelu);
  }

  size_t scratch_bytes() const override {
    return static_cast<size_t>(moments_ + factors_) * sizeof(float);
  }

  KernelInfo info() const override { return {"vernier", Name(RowIsa(isa_)), "group_norm"}; }

 private:
  // By piece: three rows of its channels.
  void SumMoments(const RunArgs& args, float* moments) const {
    const MapView x(args.inputs[0]);
    const Pieces pieces(x);
    ParallelFor(args.threads, x.planes * pieces.in_plane(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Piece piece(pieces, i);
        float* to = moments + 3 * i * x.channels;
        kernels_.moments({.pixels = piece.pixels,
                          .channels = x.channels,
                          .in = x.ConstFrom(piece.plane, piece.line, piece.column),
                          .about = to,
                          .sums = to + x.channels,
                          .squares = to + 2 * x.channels});
      }
    });
  }

  void JoinMoments(const RunArgs& args, const float* moments, float* factors) const {
    ParallelFor(args.threads, args.inputs[0].shape[0] * norm_.norm.groups, 8,
                [&](int64_t begin, int64_t end) {
                  for (int64_t group = begin; group < end; ++group) {
                    JoinGroup(args, group, moments, factors);
                  }
                });
  }

  // Calls f(part, pixels) for each piece and channel of a group: at part, part + channels of a
  // plane and so on are what moments() gave.
  template <typename F>
  void EachPart(const MapView& x, int64_t first_channel, F f) const {
    const Pieces pieces(x);
    const int64_t plane = first_channel / x.channels;
    const int64_t planes = x.channels == 1 ? group_channels_ : 1;
    const int64_t columns = x.channels == 1 ? 1 : group_channels_;
    for (int64_t i = plane * pieces.in_plane(); i < (plane + planes) * pieces.in_plane(); ++i) {
      const auto pixels = static_cast<double>(Piece(pieces, i).pixels);
      const int64_t row = 3 * i * x.channels + first_channel % x.channels;
      for (int64_t c = 0; c < columns; ++c) f(row + c, pixels);
    }
  }

  // The mean first, then deviations from parts' means and of those from the whole's (Chan, Golub &
  // LeVeque 1979).
  void JoinGroup(const RunArgs& args, int64_t index, const float* moments, float* factors) const {
    const MapView x(args.inputs[0]);
    const int64_t all = args.inputs[0].shape[1];
    const int64_t picture = index / norm_.norm.groups;
    const int64_t first = index % norm_.norm.groups * group_channels_;
    double count = 0, total = 0, square = 0;
    EachPart(x, picture * all + first, [&](int64_t at, double pixels) {
      count += pixels;
      total += moments[at] * pixels + moments[at + x.channels];
    });
    const double mean = total / count;
    EachPart(x, picture * all + first, [&](int64_t at, double pixels) {
      const double sum = moments[at + x.channels], away = moments[at] - mean;
      square += moments[at + 2 * x.channels] + away * (2 * sum + away * pixels);
    });
    const double deviation = std::sqrt(std::max(square, 0.0) / count + norm_.norm.eps);
    for (int64_t c = first; c < first + group_channels_; ++c) {
      float* to = factors + 3 * picture * all + c;
      to[0] = static_cast<float>(mean);
      const double scale = args.inputs[1].row<float>(0)[c] / deviation;
      to[all] = static_cast<float>(scale);
      // What rounding took off the mean is small; the difference to it is, too.
      to[2 * all] = static_cast<float>(args.inputs[2].row<float>(0)[c] + (to[0] - mean) * scale);
    }
  }

  FusedGroupNorm norm_;
  const ChannelNormKernels& kernels_;
  Isa isa_;
  int64_t moments_ = 0, factors_ = 0;  // floats
  int64_t group_channels_ = 0;
};

class BatchNormKernel final : public Kernel {
 public:
  BatchNormKernel(const BatchNorm& norm, const BindArgs& args, Isa isa)
      : norm_(norm), isa_(isa), channels_(args.inputs[0].shape[1]) {}

  void Run(const RunArgs& args) const override {
    auto* factors = static_cast<float*>(args.scratch);
    for (int64_t c = 0; c < channels_; ++c) {
      const auto at = [&](size_t input) -> double { return args.inputs[input].row<float>(0)[c]; };
      factors[c] = static_cast<float>(at(3));
      factors[channels_ + c] = static_cast<float>(at(1) / std::sqrt(at(4) + norm_.eps));
      factors[2 * channels_ + c] = static_cast<float>(at(2));
    }
    ScaleMap(args, SelectChannelNorm(isa_), factors, 0, false);
  }

  size_t scratch_bytes() const override {
    return 3 * static_cast<size_t>(channels_) * sizeof(float);
  }

  KernelInfo info() const override { return {"vernier", Name(RowIsa(isa_)), "batch_norm"}; }

 private:
  BatchNorm norm_;
  Isa isa_;
  int64_t channels_;
};

template <class Bound, class Norm>
class MapNormNode final : public PreparedNode {
 public:
  MapNormNode(const Norm& norm, Isa isa) : norm_(norm), isa_(isa) {}

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    return std::make_unique<Bound>(norm_, args, isa_);
  }

 private:
  Norm norm_;
  Isa isa_;
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareMapNorm(const Node& node, Isa isa) {
  if (node.op == &kBatchNorm) {
    return std::make_unique<MapNormNode<BatchNormKernel, BatchNorm>>(
        node.attributes.get<BatchNorm>(), isa);
  }
  const FusedGroupNorm norm = node.op == &kFusedGroupNorm
                                  ? node.attributes.get<FusedGroupNorm>()
                                  : FusedGroupNorm{.norm = node.attributes.get<GroupNorm>()};
  return std::make_unique<MapNormNode<GroupNormKernel, FusedGroupNorm>>(norm, isa);
}

}  // namespace vernier
