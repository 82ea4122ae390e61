// A build without oneDNN: its provider says so when it is asked for by name.
#include "backends/cpu/onednn_matmul.h"
#include "vernier/error.h"

namespace vernier {

struct OnednnMatmul::State {
  std::string implementation;
};

bool HasOnednn() { return false; }

OnednnMatmul::OnednnMatmul(const GemmDesc&) {
  throw Error(ErrorKind::kDevice, "this build of vernier has no oneDNN",
              "configure with -DVERNIER_ONEDNN=ON (x86-64 only), or use vernier's own kernels");
}

OnednnMatmul::~OnednnMatmul() = default;
OnednnMatmul::OnednnMatmul(OnednnMatmul&&) noexcept = default;
OnednnMatmul& OnednnMatmul::operator=(OnednnMatmul&&) noexcept = default;
size_t OnednnMatmul::scratch_bytes() const { return 0; }
const std::string& OnednnMatmul::implementation() const { return state_->implementation; }
void OnednnMatmul::Run(const GemmOperands&) const {}

}  // namespace vernier
