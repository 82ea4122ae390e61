#include "backends/cpu/onednn_matmul.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.h>

#include <array>
#include <vector>

#include "backends/cpu/gemm.h"
#include "core/check.h"
#include "core/parallel.h"
#include "vernier/error.h"

namespace vernier {
namespace {

template <typename Handle, dnnl_status_t (*kDestroy)(Handle)>
struct Destroy {
  void operator()(Handle handle) const { kDestroy(handle); }
};
template <typename Handle, dnnl_status_t (*kDestroy)(Handle)>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<Handle, kDestroy>>;

using Engine = Owned<dnnl_engine_t, dnnl_engine_destroy>;
using Stream = Owned<dnnl_stream_t, dnnl_stream_destroy>;
using MemoryDesc = Owned<dnnl_memory_desc_t, dnnl_memory_desc_destroy>;
using Memory = Owned<dnnl_memory_t, dnnl_memory_destroy>;
using Attributes = Owned<dnnl_primitive_attr_t, dnnl_primitive_attr_destroy>;
using PostOps = Owned<dnnl_post_ops_t, dnnl_post_ops_destroy>;
using PrimitiveDesc = Owned<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;
using Primitive = Owned<dnnl_primitive_t, dnnl_primitive_destroy>;

void Check(dnnl_status_t status, const char* call) {
  if (status == dnnl_success) return;
  throw Error(ErrorKind::kInternal,
              fmt::format("oneDNN's {} failed with status {}", call, static_cast<int>(status)),
              "leave the choice of provider to vernier, or build with VERNIER_ONEDNN=OFF");
}

// One engine and one stream serve all primitives: both are without state on the CPU.
dnnl_engine_t CpuEngine() {
  static const Engine engine = [] {
    dnnl_engine_t handle = nullptr;
    Check(dnnl_engine_create(&handle, dnnl_cpu, 0), "dnnl_engine_create");
    return Engine(handle);
  }();
  return engine.get();
}

dnnl_stream_t CpuStream() {
  static const Stream stream = [] {
    dnnl_stream_t handle = nullptr;
    Check(dnnl_stream_create(&handle, CpuEngine(), dnnl_stream_default_flags),
          "dnnl_stream_create");
    return Stream(handle);
  }();
  return stream.get();
}

dnnl_data_type_t DataType(DType dtype) { return dtype == DType::kF32 ? dnnl_f32 : dnnl_bf16; }

MemoryDesc Strided(int64_t rows, int64_t columns, DType dtype, int64_t row_stride) {
  const dnnl_dims_t dims = {rows, columns}, strides = {row_stride, 1};
  dnnl_memory_desc_t handle = nullptr;
  Check(dnnl_memory_desc_create_with_strides(&handle, 2, dims, DataType(dtype), strides),
        "dnnl_memory_desc_create_with_strides");
  return MemoryDesc(handle);
}

dnnl_format_tag_t Tag(const PackedLayout& layout) {
  const bool wide = layout.panel_columns == kWidePanelColumns;
  if (layout.dtype == DType::kF32) return wide ? dnnl_BA16a64b : dnnl_BA16a16b;
  return wide ? dnnl_BA16a64b2a : dnnl_BA16a16b2a;
}

MemoryDesc Packed(const PackedLayout& layout) {
  const dnnl_dims_t dims = {layout.k, layout.n};
  dnnl_memory_desc_t handle = nullptr;
  Check(dnnl_memory_desc_create_with_tag(&handle, 2, dims, DataType(layout.dtype), Tag(layout)),
        "dnnl_memory_desc_create_with_tag");
  return MemoryDesc(handle);
}

struct Eltwise {
  dnnl_alg_kind_t kind;
  float alpha;
};

Eltwise EltwiseOf(Activation activation) {
  switch (activation) {
    case Activation::kGeluErf:
      return {dnnl_eltwise_gelu_erf, 0};
    case Activation::kGeluTanh:
      return {dnnl_eltwise_gelu_tanh, 0};
    case Activation::kQuickGelu:
      return {dnnl_eltwise_swish, 1.702f};
    case Activation::kRelu:
      return {dnnl_eltwise_relu, 0};
    case Activation::kTanh:
      return {dnnl_eltwise_tanh, 0};
    case Activation::kSilu:
      return {dnnl_eltwise_swish, 1.0f};
    case Activation::kNone:
      break;
  }
  return {dnnl_alg_kind_undef, 0};
}

}  // namespace

struct OnednnMatmul::State {
  int threads = 1;
  bool sums_into_c = false;
  // A primitive's argument: which it is, its layout, and the operand that fills it.
  struct Argument {
    int index;
    MemoryDesc desc;
    const void* (*operand)(const GemmOperands&);
  };
  std::vector<Argument> arguments;
  Primitive primitive;
  size_t scratch_bytes = 0;
  std::string implementation;

  void Add(int index, MemoryDesc desc, const void* (*operand)(const GemmOperands&)) {
    arguments.push_back({index, std::move(desc), operand});
  }
  dnnl_memory_desc_t DescOf(int index) const {
    for (const Argument& argument : arguments) {
      if (argument.index == index) return argument.desc.get();
    }
    return nullptr;
  }
  Attributes MakeAttributes(const GemmDesc& desc);
  void AddPostOps(const GemmDesc& desc, dnnl_post_ops_t post_ops);
};

// In the order of the definition: activation, scale, residual.
void OnednnMatmul::State::AddPostOps(const GemmDesc& desc, dnnl_post_ops_t post_ops) {
  const int64_t n = desc.weights.n;
  if (desc.activation != Activation::kNone) {
    const Eltwise eltwise = EltwiseOf(desc.activation);
    Check(dnnl_post_ops_append_eltwise(post_ops, eltwise.kind, eltwise.alpha, 0),
          "dnnl_post_ops_append_eltwise");
  }
  if (desc.scale) {
    const int index = DNNL_ARG_ATTR_MULTIPLE_POST_OP(dnnl_post_ops_len(post_ops));
    Add(index | DNNL_ARG_SRC_1, Strided(1, n, DType::kF32, n),
        [](const GemmOperands& o) -> const void* { return o.scale; });
    Check(dnnl_post_ops_append_binary(post_ops, dnnl_binary_mul, arguments.back().desc.get()),
          "dnnl_post_ops_append_binary");
  }
  if (!desc.residual) return;
  if (desc.residual_in_place) {
    sums_into_c = true;
    // Only the sum reads c before the product's parts are kept there.
    Check(dnnl_post_ops_append_sum(post_ops, 1.0f, 0, dnnl_data_type_undef),
          "dnnl_post_ops_append_sum");
    return;
  }
  const int index = DNNL_ARG_ATTR_MULTIPLE_POST_OP(dnnl_post_ops_len(post_ops));
  Add(index | DNNL_ARG_SRC_1, Strided(desc.m, n, DType::kF32, desc.residual_stride),
      [](const GemmOperands& o) -> const void* { return o.residual; });
  Check(dnnl_post_ops_append_binary(post_ops, dnnl_binary_add, arguments.back().desc.get()),
        "dnnl_post_ops_append_binary");
}

Attributes OnednnMatmul::State::MakeAttributes(const GemmDesc& desc) {
  dnnl_primitive_attr_t attributes = nullptr;
  Check(dnnl_primitive_attr_create(&attributes), "dnnl_primitive_attr_create");
  Attributes owned(attributes);
  Check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
        "dnnl_primitive_attr_set_scratchpad_mode");
  dnnl_post_ops_t post_ops = nullptr;
  Check(dnnl_post_ops_create(&post_ops), "dnnl_post_ops_create");
  const PostOps owned_post_ops(post_ops);
  AddPostOps(desc, post_ops);
  Check(dnnl_primitive_attr_set_post_ops(attributes, post_ops), "dnnl_primitive_attr_set_post_ops");
  return owned;
}

namespace {

std::string Describe(const GemmDesc& desc) {
  return fmt::format("a {} matrix product of {} x {} by {} x {}", Name(desc.weights.dtype), desc.m,
                     desc.weights.k, desc.weights.k, desc.weights.n);
}

[[noreturn]] void Refuse(const GemmDesc& desc, const std::string& why) {
  throw Error(ErrorKind::kDevice, fmt::format("oneDNN {} for {}", why, Describe(desc)),
              "leave the choice of provider to vernier, which has a kernel of its own");
}

}  // namespace

bool HasOnednn() { return true; }

OnednnMatmul::OnednnMatmul(const GemmDesc& desc) : state_(std::make_unique<State>()) {
  // oneDNN asks OpenMP for the team when a primitive is made and again when it runs.
  state_->threads = desc.threads;
  SetTeamOfCaller(desc.threads);
  const int64_t n = desc.weights.n;
  state_->Add(DNNL_ARG_SRC, Strided(desc.m, desc.weights.k, desc.a, desc.a_stride),
              [](const GemmOperands& o) { return o.a; });
  state_->Add(DNNL_ARG_WEIGHTS, Packed(desc.weights),
              [](const GemmOperands& o) { return o.weights; });
  state_->Add(DNNL_ARG_DST, Strided(desc.m, n, desc.c, desc.c_stride),
              [](const GemmOperands& o) -> const void* { return o.c; });
  if (desc.bias) {
    state_->Add(DNNL_ARG_BIAS, Strided(1, n, DType::kF32, n),
                [](const GemmOperands& o) -> const void* { return o.bias; });
  }
  const Attributes attributes = state_->MakeAttributes(desc);
  dnnl_primitive_desc_t handle = nullptr;
  const dnnl_status_t status = dnnl_matmul_primitive_desc_create(
      &handle, CpuEngine(), state_->DescOf(DNNL_ARG_SRC), state_->DescOf(DNNL_ARG_WEIGHTS),
      state_->DescOf(DNNL_ARG_BIAS), state_->DescOf(DNNL_ARG_DST), attributes.get());
  if (status == dnnl_unimplemented) Refuse(desc, "has no kernel");
  Check(status, "dnnl_matmul_primitive_desc_create");
  const PrimitiveDesc primitive_desc(handle);
  const char* implementation = nullptr;
  Check(dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, &implementation),
        "dnnl_primitive_desc_query");
  state_->implementation = implementation;
  if (state_->implementation.find("ref") != std::string::npos) {
    Refuse(desc, fmt::format("has only its reference kernel ({})", implementation));
  }
  const_dnnl_memory_desc_t scratch =
      dnnl_primitive_desc_query_md(handle, dnnl_query_scratchpad_md, 0);
  state_->scratch_bytes = dnnl_memory_desc_get_size(scratch);
  dnnl_memory_desc_t scratch_copy = nullptr;
  Check(dnnl_memory_desc_clone(&scratch_copy, scratch), "dnnl_memory_desc_clone");
  state_->Add(DNNL_ARG_SCRATCHPAD, MemoryDesc(scratch_copy),
              [](const GemmOperands& o) -> const void* { return o.scratch; });
  dnnl_primitive_t primitive = nullptr;
  Check(dnnl_primitive_create(&primitive, handle), "dnnl_primitive_create");
  state_->primitive.reset(primitive);
}

OnednnMatmul::~OnednnMatmul() = default;
OnednnMatmul::OnednnMatmul(OnednnMatmul&&) noexcept = default;
OnednnMatmul& OnednnMatmul::operator=(OnednnMatmul&&) noexcept = default;

size_t OnednnMatmul::scratch_bytes() const { return state_->scratch_bytes; }

const std::string& OnednnMatmul::implementation() const { return state_->implementation; }

// The handles that name the operands are made per run (under a microsecond for all), because the
// primitive is shared by runs on different operands.
void OnednnMatmul::Run(const GemmOperands& operands) const {
  VN_CHECK(state_->sums_into_c == (operands.residual != nullptr && operands.residual == operands.c),
           "a residual in place, against its description");
  constexpr size_t kMostArguments = 8;
  std::array<Memory, kMostArguments> memories;
  std::array<dnnl_exec_arg_t, kMostArguments> arguments;
  size_t count = 0;
  for (const State::Argument& argument : state_->arguments) {
    dnnl_memory_t memory = nullptr;
    Check(dnnl_memory_create(&memory, argument.desc.get(), CpuEngine(),
                             const_cast<void*>(argument.operand(operands))),
          "dnnl_memory_create");
    memories[count].reset(memory);
    arguments[count++] = {argument.index, memory};
  }
  SetTeamOfCaller(state_->threads);
  Check(dnnl_primitive_execute(state_->primitive.get(), CpuStream(), static_cast<int>(count),
                               arguments.data()),
        "dnnl_primitive_execute");
}

}  // namespace vernier
