// Normalisation by channel over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/channel_norm.h"
#include "kernels/cpu/element_rows_impl.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

// Vectors of channels side by side: enough sums in flight to hide the latency of adding, and few
// enough for 16 registers.
constexpr int kChannelVectors = 4;

// `kVectors` vectors of channels from `first` on; the last one may be short.
template <class V, class In, int kVectors>
struct ChannelBlock {
  const ChannelMomentsArgs& args;
  int64_t first;

  int64_t Left(int i) const {
    return i + 1 < kVectors ? V::kWidth : args.channels - first - i * V::kWidth;
  }

  template <class F>
  void EachRow(F f) const {
    const int64_t last = Left(kVectors - 1);
    for (int64_t row = 0; row < args.pixels; ++row) {
      const In* in = RowOf<In>(args.in, row) + first;
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) {
        f(i,
          i + 1 < kVectors ? V::Load(in + i * V::kWidth) : LoadUpTo<V>(in + i * V::kWidth, last));
      }
    }
  }

  void Store(const V (&values)[kVectors], float* to) const {
    for (int i = 0; i < kVectors; ++i) {
      StoreUpTo(values[i], to + first + i * V::kWidth, Left(i));
    }
  }

  // The rounded mean first, then what lies around it.
  void Run() const {
    V about[kVectors], sums[kVectors], squares[kVectors];
    for (V& sum : about) sum = V::Set(0.0f);
    EachRow([&](int i, V x) { about[i] = about[i] + x; });
    const V factor = V::Set(1.0f / static_cast<float>(args.pixels));
    for (int i = 0; i < kVectors; ++i) {
      about[i] = about[i] * factor;
      sums[i] = squares[i] = V::Set(0.0f);
    }
    EachRow([&](int i, V x) {
      const V d = x - about[i];
      sums[i] = sums[i] + d;
      squares[i] = Fma(d, d, squares[i]);
    });
    Store(about, args.about);
    Store(sums, args.sums);
    Store(squares, args.squares);
  }
};

template <class V>
inline void ChannelMoments(const ChannelMomentsArgs& args) noexcept {
  WithElement(args.in.element, [&]<class In>(const In*) {
    int64_t first = 0;
    for (; first + kChannelVectors * V::kWidth <= args.channels;
         first += kChannelVectors * V::kWidth) {
      ChannelBlock<V, In, kChannelVectors>{args, first}.Run();
    }
    for (; first < args.channels; first += V::kWidth) ChannelBlock<V, In, 1>{args, first}.Run();
  });
}

template <class V, class In, class Out, bool kRelu>
inline void ScaleRows(const ScaleChannelsArgs& args) {
  for (int64_t row = 0; row < args.pixels; ++row) {
    const In* in = RowOf<In>(args.in, row);
    Out* out = RowOf<Out>(args.out, row);
    for (int64_t i = 0; i < args.channels; i += V::kWidth) {
      const int64_t left = args.channels - i;
      const V x = LoadUpTo<V>(in + i, left) - LoadUpTo<V>(args.centre + i, left);
      V y = Fma(x, LoadUpTo<V>(args.scale + i, left), LoadUpTo<V>(args.shift + i, left));
      if constexpr (kRelu) y = Max(V::Set(0.0f), y);
      StoreUpTo(y, out + i, left);
    }
  }
}

template <class V>
inline void ScaleChannels(const ScaleChannelsArgs& args) noexcept {
  WithElement(args.in.element, [&]<class In>(const In*) {
    WithElement(args.out.element, [&]<class Out>(const Out*) {
      args.relu ? ScaleRows<V, In, Out, true>(args) : ScaleRows<V, In, Out, false>(args);
    });
  });
}

template <class V>
constexpr ChannelNormKernels ChannelNormOf() {
  return {ChannelMoments<V>, ScaleChannels<V>};
}

}  // namespace
}  // namespace vernier
