#include "kernels/cpu/patchify.h"

#include <algorithm>

#include "core/float_types.h"

namespace vernier {
namespace {

void CopyRun(const float* in, int64_t count, float* out) { std::copy_n(in, count, out); }
void CopyRun(const float* in, int64_t count, uint16_t* out) {
  std::transform(in, in + count, out, ToBf16);
}

template <class Out>
void CutPatch(const PatchifyArgs& args, const float* corner, Out* out) {
  for (int64_t channel = 0; channel < args.channels; ++channel) {
    const float* in = corner + channel * args.height * args.image_stride;
    for (int64_t y = 0; y < args.patch_height; ++y) {
      CopyRun(in + y * args.image_stride, args.patch_width, out);
      out += args.patch_width;
    }
  }
}

template <class Out>
void CutPatches(const PatchifyArgs& args) {
  const int64_t grid_height = args.height / args.patch_height;
  const int64_t grid_width = args.width / args.patch_width;
  Out* out = static_cast<Out*>(args.out);
  for (int64_t image = 0; image < args.batch; ++image) {
    const float* in = args.images + image * args.channels * args.height * args.image_stride;
    for (int64_t y = 0; y < grid_height; ++y) {
      for (int64_t x = 0; x < grid_width; ++x) {
        CutPatch(args, in + y * args.patch_height * args.image_stride + x * args.patch_width, out);
        out += args.out_stride;
      }
    }
  }
}

}  // namespace

void Patchify(const PatchifyArgs& args) noexcept {
  if (args.out_element == Element::kF32) {
    CutPatches<float>(args);
  } else {
    CutPatches<uint16_t>(args);
  }
}

}  // namespace vernier
