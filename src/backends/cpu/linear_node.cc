// FusedLinear on the CPU: weights packed once in the instruction set's layout, then our own product
// or oneDNN's on the same bytes.
#include <algorithm>
#include <cstring>
#include <vector>

#include "backends/cpu/gemm.h"
#include "backends/cpu/nodes.h"
#include "backends/folded_norm.h"
#include "core/check.h"
#include "core/rounding.h"
#include "ops/linear.h"
#include "vernier/error.h"

namespace vernier {
namespace {

struct LinearWeights {
  PackedLayout layout;
  std::shared_ptr<const WeightBytes> packed;
  std::shared_ptr<const WeightBytes> bias;   // null: none
  std::shared_ptr<const WeightBytes> scale;  // null: none

  static const float* Floats(const std::shared_ptr<const WeightBytes>& bytes) {
    return bytes ? static_cast<const float*>(bytes->data()) : nullptr;
  }
};

class LinearKernel final : public Kernel {
 public:
  LinearKernel(const GemmDesc& desc, GemmProvider provider, const LinearWeights& weights,
               int residual)
      : desc_(desc), gemm_(desc, provider), weights_(weights), residual_(residual) {}

  void Run(const RunArgs& args) const override {
    const TensorArg& x = args.inputs[0];
    const TensorArg& y = args.outputs[0];
    const GemmOperands operands{
        .a = x.data,
        .weights = weights_.packed->data(),
        .c = y.data,
        .bias = LinearWeights::Floats(weights_.bias),
        .scale = LinearWeights::Floats(weights_.scale),
        .residual = desc_.residual ? args.inputs[static_cast<size_t>(residual_)].row<const float>(0)
                                   : nullptr,
        .scratch = args.scratch,
        .cancel = args.cancel};
    const bool as_bound = x.rows() == desc_.m && x.row_stride == desc_.a_stride;
    if (as_bound) return gemm_.Run(operands);
    GemmDesc shorter = desc_;  // a runtime extent below its capacity, or a step run alone
    shorter.m = x.rows();
    shorter.a_stride = x.row_stride;
    shorter.c_stride = y.row_stride;
    if (desc_.residual) {
      shorter.residual_stride = args.inputs[static_cast<size_t>(residual_)].row_stride;
    }
    const Gemm gemm(shorter);
    VN_CHECK(gemm.scratch_bytes() <= gemm_.scratch_bytes(), "a product larger than its plan");
    gemm.Run(operands);
  }

  size_t scratch_bytes() const override { return gemm_.scratch_bytes(); }

  std::span<const std::byte> streamed_bytes() const override {
    if (!gemm_.reads_weights_once()) return {};
    return {static_cast<const std::byte*>(weights_.packed->data()), weights_.layout.bytes()};
  }

  bool opens_regions() const override { return gemm_.provider() == GemmProvider::kOnednn; }

  KernelInfo info() const override {
    if (gemm_.provider() == GemmProvider::kOnednn) {
      return {"onednn", Name(desc_.isa), gemm_.kernel_name()};
    }
    return {"vernier", Name(gemm_.isa()), std::string("gemm_") + Name(desc_.weights.dtype)};
  }

 private:
  GemmDesc desc_;
  Gemm gemm_;
  LinearWeights weights_;
  int residual_;
};

class LinearNode final : public PreparedNode {
 public:
  LinearNode(const PrepareArgs& args, const CpuBackendOptions& options)
      : attributes_(args.node.attributes.get<FusedLinear>()),
        options_(options),
        has_residual_(Exists(args.node, attributes_.residual())) {
    const Graph& graph = args.graph;
    int64_t n = 0;
    std::string names;
    for (int part = 0; part < attributes_.parts; ++part) {
      const ValueInfo& weight = Input(args, attributes_.weight(part));
      n += weight.type.dim(0).constant();
      names += weight.name + ";";
    }
    for (int i = attributes_.gain(); i < attributes_.inputs(); ++i) {
      names += Input(args, i).name + ";";
    }
    const int64_t k = Input(args, attributes_.weight(0)).type.dim(1).constant();
    weights_.layout = PackedLayoutFor(options.isa, args.node.precision.weight, n, k);
    std::string tag = std::string(Name(weights_.layout.dtype)) + weights_.layout.tag();
    if (attributes_.gated) {
      gated_columns_ = n / 2;
      const int64_t half = weights_.layout.panel_columns / 2;
      weights_.layout.n = CeilDiv(gated_columns_, half) * weights_.layout.panel_columns;
      tag += "gated";
    }
    weights_.packed = args.weights.Packed("packed:" + names + tag, weights_.layout.bytes(),
                                          [&](WeightBytes& into) { Pack(args, into); });
    weights_.bias = Biases(args, names, n);
    if (Exists(args.node, attributes_.scale())) {
      weights_.scale = args.weights.Float32Copy(
          graph.value(args.node.inputs[static_cast<size_t>(attributes_.scale())]).name);
    }
    onednn_runs_ = TryOnednn(args);
  }

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    const TensorArg& x = args.inputs[0];
    const TensorArg& y = args.outputs[0];
    GemmDesc desc = DescOf(x.dtype, x.row_stride, y.dtype, y.row_stride);
    desc.m = x.rows();
    desc.threads = args.threads;
    if (has_residual_) {
      desc.residual_stride = args.inputs[static_cast<size_t>(attributes_.residual())].row_stride;
    }
    return std::make_unique<LinearKernel>(desc, ProviderOf(desc), weights_, attributes_.residual());
  }

  std::vector<int> owned_inputs() const override {
    std::vector<int> owned;
    for (int i = 1; i <= attributes_.scale(); ++i) owned.push_back(i);
    for (int i = attributes_.gain(); i < attributes_.inputs(); ++i) owned.push_back(i);
    return owned;
  }

 private:
  GemmProvider ProviderOf(const GemmDesc& desc) const {
    // oneDNN has no such last step, and does not know our packing of i8.
    const bool only_ours = attributes_.gated || weights_.layout.dtype == DType::kI8;
    if (only_ours) return GemmProvider::kVernier;
    switch (options_.onednn) {
      case OnednnUse::kNever:
        return GemmProvider::kVernier;
      case OnednnUse::kAlways:
        return GemmProvider::kOnednn;
      case OnednnUse::kWhereFaster:
        break;
    }
    return onednn_runs_ ? FasterGemmProvider(desc) : GemmProvider::kVernier;
  }

  // On a CPU that was not measured oneDNN may have no good kernel for our layout. Tried here with
  // one row, once per program, so that binding makes no primitive in vain and all batches of a node
  // get the same provider.
  bool TryOnednn(const PrepareArgs& args) const {
    if (options_.onednn != OnednnUse::kWhereFaster) return false;
    // Rows in use that vary from run to run are left to our product, which takes any number of
    // them and gives each row the same bits.
    const Dims& rows = Input(args, 0).type.shape;
    if (std::ranges::any_of(rows, &Dim::HasRuntimeSymbol)) return false;
    GemmDesc desc = DescOf(Input(args, 0).type.dtype, weights_.layout.k,
                           args.graph.value(args.node.outputs[0]).type.dtype, weights_.layout.n);
    desc.m = 1;
    desc.threads = args.threads;
    desc.residual_stride = weights_.layout.n;
    if (FasterGemmProvider(desc) != GemmProvider::kOnednn) return false;
    try {
      const Gemm probe(desc, GemmProvider::kOnednn);
      return true;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kDevice) return false;
      throw;
    }
  }

  // What is known of the product before rows and threads are.
  GemmDesc DescOf(DType a, int64_t a_stride, DType c, int64_t c_stride) const {
    return {.weights = weights_.layout,
            .a = a,
            .a_stride = a_stride,
            .c = c,
            .c_stride = c_stride,
            .bias = weights_.bias != nullptr,
            .activation = KernelActivation(attributes_.activation),
            .scale = weights_.scale != nullptr,
            .gated_columns = gated_columns_,
            .residual = has_residual_,
            .isa = options_.isa};
  }

  static bool Exists(const Node& node, int input) {
    return node.inputs[static_cast<size_t>(input)] != kNoValue;
  }

  static const ValueInfo& Input(const PrepareArgs& args, int input) {
    return args.graph.value(args.node.inputs[static_cast<size_t>(input)]);
  }

  void Pack(const PrepareArgs& args, WeightBytes& into) const {
    std::vector<PackSource> sources;
    std::vector<Tensor> converted;  // types that the packer does not read
    for (int part = 0; part < attributes_.parts; ++part) {
      const ValueInfo& weight = Input(args, attributes_.weight(part));
      if (attributes_.norm) converted.push_back(Fold(args).weight);
      TensorView raw = attributes_.norm ? converted.back().view() : args.weights.Raw(weight.name);
      const bool readable = raw.dtype == DType::kF64 || raw.dtype == DType::kF32 ||
                            raw.dtype == DType::kF16 || raw.dtype == DType::kBF16;
      if (!readable) {
        converted.push_back(ToFloat32(raw));
        raw = converted.back().view();
      }
      sources.push_back({.data = raw.data,
                         .dtype = raw.dtype,
                         .n = weight.type.dim(0).constant(),
                         .row_stride = weights_.layout.k});
    }
    std::vector<float> zeros;
    if (attributes_.gated) {
      zeros.resize(static_cast<size_t>(weights_.layout.panel_columns * weights_.layout.k));
      sources = Halves(sources, zeros);
    }
    PackWeights(weights_.layout, sources, into.data(), args.threads);
    for (int part = 0; part < attributes_.parts; ++part) {
      args.weights.Release(Input(args, attributes_.weight(part)).name);
    }
  }

  // Half a panel of gates, half a panel of values, and so on; zeros fill up the last halves.
  std::vector<PackSource> Halves(std::span<const PackSource> parts,
                                 std::span<const float> zeros) const {
    const int64_t half = weights_.layout.panel_columns / 2;
    std::vector<PackSource> halves;
    for (int64_t row = 0; row < gated_columns_; row += half) {
      for (PackSource part : parts) {
        const int64_t skipped = row * part.row_stride * static_cast<int64_t>(ByteSize(part.dtype));
        part.data = static_cast<const char*>(part.data) + skipped;
        part.n = std::min(half, gated_columns_ - row);
        halves.push_back(part);
        if (part.n == half) continue;
        halves.push_back(
            {.data = zeros.data(), .n = half - part.n, .row_stride = weights_.layout.k});
      }
    }
    return halves;
  }

  // The only part with its norm folded in.
  struct Folded {
    Tensor weight;
    Tensor bias;
  };
  Folded Fold(const PrepareArgs& args) const {
    const auto floats = [&](int input) {
      return ToFloat32(args.weights.Raw(Input(args, input).name));
    };
    Folded folded{floats(attributes_.weight(0)), {}};
    if (Exists(args.node, attributes_.bias(0))) {
      folded.bias = floats(attributes_.bias(0));
    } else {
      folded.bias = Tensor(DType::kF32, {folded.weight.shape()[0]});
      std::ranges::fill(folded.bias.as<float>(), 0.0f);
    }
    const int gain = attributes_.gain();
    const Tensor terms[] = {floats(gain), floats(gain + 1), floats(gain + 2), floats(gain + 3)};
    FoldNorm({.gain = terms[0].as<float>(),
              .shift = terms[1].as<float>(),
              .mean = terms[2].as<float>(),
              .variance = terms[3].as<float>(),
              .eps = attributes_.eps},
             folded.weight.as<float>(), folded.bias.as<float>());
    return folded;
  }

  // The parts' biases one after the other, zeros where a part has none.
  std::shared_ptr<const WeightBytes> Biases(const PrepareArgs& args, const std::string& names,
                                            int64_t n) const {
    bool any = attributes_.norm;
    for (int part = 0; part < attributes_.parts; ++part) {
      any = any || Exists(args.node, attributes_.bias(part));
    }
    if (!any) return nullptr;
    const size_t bytes = static_cast<size_t>(n) * sizeof(float);
    return args.weights.Packed("bias:" + names, bytes, [&](WeightBytes& into) {
      auto* to = static_cast<float*>(into.data());
      if (attributes_.norm) {
        std::ranges::copy(Fold(args).bias.as<float>(), to);
        return;
      }
      for (int part = 0; part < attributes_.parts; ++part) {
        const int64_t count = Input(args, attributes_.weight(part)).type.dim(0).constant();
        if (Exists(args.node, attributes_.bias(part))) {
          const std::string& name = Input(args, attributes_.bias(part)).name;
          const Tensor bias = ToFloat32(args.weights.Raw(name));
          std::copy_n(bias.as<float>().begin(), count, to);
          args.weights.Release(name);
        } else {
          std::fill_n(to, count, 0.0f);
        }
        to += count;
      }
    });
  }

  FusedLinear attributes_;
  CpuBackendOptions options_;
  LinearWeights weights_;
  bool has_residual_;
  int64_t gated_columns_ = 0;  // of the result, where the product is gated
  bool onednn_runs_ = false;
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareFusedLinear(const PrepareArgs& args,
                                                 const CpuBackendOptions& options) {
  return std::make_unique<LinearNode>(args, options);
}

}  // namespace vernier
