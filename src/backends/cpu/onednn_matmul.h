// Matrix multiplication by oneDNN from our packed weights: the second provider behind Gemm.
// Built only with VERNIER_ONEDNN. Immutable after creation; may run in several threads at once,
// each with its own scratch.
#pragma once

#include <memory>
#include <string>

namespace vernier {

struct GemmDesc;
struct GemmOperands;

/// Whether this build has oneDNN.
bool HasOnednn();

class OnednnMatmul {
 public:
  /// Throws Error{kDevice} where oneDNN has no kernel for `desc`, or only its reference one, or is
  /// not built in.
  explicit OnednnMatmul(const GemmDesc& desc);
  ~OnednnMatmul();
  OnednnMatmul(OnednnMatmul&&) noexcept;
  OnednnMatmul& operator=(OnednnMatmul&&) noexcept;

  size_t scratch_bytes() const;
  /// oneDNN's name of what runs: "brg:avx512_core_bf16".
  const std::string& implementation() const;
  void Run(const GemmOperands& operands) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vernier
