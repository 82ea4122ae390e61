// Resized maps over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/element_rows_impl.h"
#include "kernels/cpu/resize_rows.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

// Reads one pixel of the upper row.
template <class V, class In>
struct NearestPixel {
  const In* at;

  NearestPixel(const ResizeRowArgs& args, const ResizeTap& tap)
      : at(RowOf<In>(args.upper, tap.low)) {}

  V Load(int64_t channel, int64_t left) const { return LoadUpTo<V>(at + channel, left); }
};

// Blends four pixels by products, so that all four count, whatever their shares.
template <class V, class In>
struct BlendedPixel {
  const In* at[4];
  V share[4];

  BlendedPixel(const ResizeRowArgs& args, const ResizeTap& tap)
      : at{RowOf<In>(args.upper, tap.low), RowOf<In>(args.upper, tap.high),
           RowOf<In>(args.lower, tap.low), RowOf<In>(args.lower, tap.high)},
        share{V::Set((1.0f - args.lower_share) * (1.0f - tap.share)),
              V::Set((1.0f - args.lower_share) * tap.share),
              V::Set(args.lower_share * (1.0f - tap.share)), V::Set(args.lower_share * tap.share)} {
  }

  V Load(int64_t channel, int64_t left) const {
    V sum = LoadUpTo<V>(at[0] + channel, left) * share[0];
    for (int i = 1; i < 4; ++i) sum = Fma(LoadUpTo<V>(at[i] + channel, left), share[i], sum);
    return sum;
  }
};

template <class V, class Pixel, class Addend, class Out>
inline void ResizePixels(const ResizeRowArgs& args) {
  for (int64_t x = 0; x < args.out_width; ++x) {
    const Pixel pixel(args, args.columns[x]);
    const Addend* addend = args.addend.data == nullptr ? nullptr : RowOf<Addend>(args.addend, x);
    Out* out = RowOf<Out>(args.out, x);
    for (int64_t c = 0; c < args.channels; c += V::kWidth) {
      const int64_t left = args.channels - c;
      V value = pixel.Load(c, left);
      if (addend != nullptr) value = value + LoadUpTo<V>(addend + c, left);
      StoreUpTo(value, out + c, left);
    }
  }
}

template <class V>
inline void ResizeRowOf(const ResizeRowArgs& args) noexcept {
  WithElement(args.upper.element, [&]<class In>(const In*) {
    WithElement(args.addend.element, [&]<class Addend>(const Addend*) {
      WithElement(args.out.element, [&]<class Out>(const Out*) {
        args.blend ? ResizePixels<V, BlendedPixel<V, In>, Addend, Out>(args)
                   : ResizePixels<V, NearestPixel<V, In>, Addend, Out>(args);
      });
    });
  });
}

}  // namespace
}  // namespace vernier
