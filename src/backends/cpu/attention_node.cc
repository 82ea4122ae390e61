// Attention and RotaryAttention on the CPU.
#include "backends/cpu/attention.h"

#include <algorithm>
#include <limits>

#include "backends/cpu/nodes.h"
#include "core/check.h"
#include "ops/attention.h"

namespace vernier {
namespace {

struct AttentionForm {
  Attention attention;
  bool rotary = false;
  bool interleaved = false;
};

AttentionOperand OperandOf(const TensorArg& x) {
  return {x.data, ElementOf(x.dtype), x.row_stride, x.row_stride * x.shape[-2]};
}

AttentionArgs ArgsOf(const AttentionForm& form, std::span<const TensorArg> inputs,
                     const TensorArg& out) {
  const TensorArg &q = inputs[0], &k = inputs[1];
  AttentionArgs args;
  args.batch = q.shape.rank() == 3 ? q.shape[0] : 1;
  args.query_len = q.shape[-2];
  args.kv_len = k.shape[-2];
  args.heads = form.attention.heads;
  args.kv_heads = form.attention.kv_heads;
  args.head_dim = q.columns() / form.attention.heads;
  args.scale = static_cast<float>(form.attention.scale);
  args.causal = form.attention.mask == AttentionMask::kCausal;
  args.q = OperandOf(q);
  args.k = OperandOf(k);
  args.v = OperandOf(inputs[2]);
  if (form.rotary) {
    args.q_rotary = {inputs[3].row<const float>(0), inputs[4].row<const float>(0),
                     inputs[3].row_stride,
                     form.interleaved ? RotaryPairs::kInterleaved : RotaryPairs::kHalves};
    args.k_rotary = args.q_rotary;
  } else if (inputs.size() > 3 && inputs[3].exists()) {
    const TensorArg& bias = inputs[3];
    args.bias = bias.row<const float>(0);
    args.bias_query_stride = bias.row_stride;
    args.bias_head_stride = bias.shape[0] == 1 ? 0 : bias.row_stride * bias.shape[1];
  }
  args.out = out.data;
  args.out_element = ElementOf(out.dtype);
  args.out_token_stride = out.row_stride;
  args.out_batch_stride = out.row_stride * out.shape[-2];
  return args;
}

// What a choice of visible keys becomes for the kernel: a shorter length for an entry whose visible
// keys stand first, as padding leaves them, else a bias of 0 and minus infinity for all entries.
// Lives in the kernel's scratch.
struct VisibleKeys {
  int64_t* lengths;  // [batch]
  float* bias;       // [batch, keys]

  static size_t Bytes(int64_t batch, int64_t keys) {
    return static_cast<size_t>(batch) * (sizeof(int64_t) + static_cast<size_t>(keys) * 4);
  }

  static VisibleKeys At(void* memory, int64_t batch) {
    auto* lengths = static_cast<int64_t*>(memory);
    return {lengths, reinterpret_cast<float*>(lengths + batch)};
  }

  void Apply(const TensorArg& visible, AttentionArgs& args) const {
    bool first = true;
    for (int64_t b = 0; b < args.batch; ++b) {
      const float* row = visible.row<float>(b);
      const int64_t hidden = std::count(row, row + args.kv_len, 0.0f);
      lengths[b] = args.kv_len - hidden;
      first = first && std::find(row, row + lengths[b], 0.0f) == row + lengths[b];
    }
    if (first) {
      args.kv_lens = lengths;
      return;
    }
    constexpr float kHidden = -std::numeric_limits<float>::infinity();
    for (int64_t b = 0; b < args.batch; ++b) {
      const float* row = visible.row<float>(b);
      std::transform(row, row + args.kv_len, bias + b * args.kv_len,
                     [](float value) { return value == 0.0f ? kHidden : 0.0f; });
    }
    args.bias = bias;
    args.bias_batch_stride = args.kv_len;
  }
};

const void* RowAt(const AttentionOperand& operand, int64_t row) {
  return static_cast<const char*>(operand.data) +
         row * operand.token_stride * ElementBytes(operand.element);
}

// Packed tokens, one segment after the other: each is a batch of its own.
void RunSegments(Isa isa, int threads, const AttentionArgs& packed, const TensorArg& segments,
                 void* scratch) {
  const auto* offsets = segments.row<const int32_t>(0);
  for (int64_t s = 0; s + 1 < segments.columns(); ++s) {
    const int64_t first = offsets[s], tokens = offsets[s + 1] - first;
    VN_CHECK(first >= 0 && tokens >= 0 && first + tokens <= packed.query_len,
             "segment offsets must rise and stay within the tokens");
    AttentionArgs args = packed;
    args.query_len = args.kv_len = tokens;
    for (AttentionOperand* operand : {&args.q, &args.k, &args.v}) {
      operand->data = RowAt(*operand, first);
    }
    args.q_rotary = packed.q_rotary.From(first);
    args.k_rotary = packed.k_rotary.From(first);
    args.out = static_cast<char*>(packed.out) +
               first * packed.out_token_stride * ElementBytes(packed.out_element);
    RunAttention(isa, threads, args, scratch);
  }
}

class AttentionKernel final : public Kernel {
 public:
  AttentionKernel(const AttentionForm& form, Isa isa, const BindArgs& bound)
      : form_(form),
        isa_(isa),
        half_(bound.inputs[0].dtype == DType::kBF16),
        masked_(!form.rotary && bound.inputs.size() > Attention::kVisible),
        packed_(bound.inputs[0].shape.rank() == 2) {
    const AttentionArgs args = ArgsOf(form_, bound.inputs, bound.outputs[0]);
    VN_CHECK(args.head_dim >= 1 && args.head_dim <= kMaxHeadDim, "head width");
    scratch_bytes_ = static_cast<size_t>(AttentionScratchBytes(isa, bound.threads, args));
    if (masked_) scratch_bytes_ += VisibleKeys::Bytes(args.batch, args.kv_len);
  }

  void Run(const RunArgs& run) const override {
    AttentionArgs args = ArgsOf(form_, run.inputs, run.outputs[0]);
    args.cancel = run.cancel;
    char* scratch = static_cast<char*>(run.scratch);
    if (masked_) {
      VisibleKeys::At(scratch, args.batch).Apply(run.inputs[Attention::kVisible], args);
      scratch += VisibleKeys::Bytes(args.batch, args.kv_len);
    }
    if (packed_) {
      const size_t segments = form_.rotary ? RotaryAttention::kSegments : Attention::kSegments;
      RunSegments(isa_, run.threads, args, run.inputs[segments], scratch);
    } else {
      RunAttention(isa_, run.threads, args, scratch);
    }
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  KernelInfo info() const override {
    const Element multiply = half_ ? Element::kBf16 : Element::kF32;
    return {"vernier", SelectAttention(isa_, multiply).name,
            form_.rotary ? "rotary_attention" : "attention"};
  }

 private:
  AttentionForm form_;
  Isa isa_;
  bool half_;
  bool masked_;
  bool packed_;  // tokens in segments
  size_t scratch_bytes_;
};

class AttentionNode final : public PreparedNode {
 public:
  AttentionNode(const AttentionForm& form, Isa isa) : form_(form), isa_(isa) {}

  std::unique_ptr<Kernel> Bind(const BindArgs& args) const override {
    return std::make_unique<AttentionKernel>(form_, isa_, args);
  }

 private:
  AttentionForm form_;
  Isa isa_;
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareAttention(const Node& node, Isa isa) {
  AttentionForm form;
  if (node.op == &kRotaryAttention) {
    const auto& rotary = node.attributes.get<RotaryAttention>();
    form = {rotary.attention, true, rotary.interleaved};
  } else {
    form.attention = node.attributes.get<Attention>();
  }
  return std::make_unique<AttentionNode>(form, isa);
}

}  // namespace vernier
