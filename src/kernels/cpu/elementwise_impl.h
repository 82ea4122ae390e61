// Elementwise kernels over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/element_rows_impl.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/vec_math.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

template <class V, class A, class B, class Out>
inline void AddRows(const AddArgs& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    const A* a = RowOf<A>(args.a, row);
    const B* b = RowOf<B>(args.b, row % args.b_period);
    Out* out = RowOf<Out>(args.out, row);
    for (int64_t i = 0; i < args.columns; i += V::kWidth) {
      const int64_t left = args.columns - i;
      StoreUpTo(LoadUpTo<V>(a + i, left) + LoadUpTo<V>(b + i, left), out + i, left);
    }
  }
}

template <class V>
inline void Add(const AddArgs& args) noexcept {
  WithElement(args.a.element, [&]<class A>(const A*) {
    WithElement(args.b.element, [&]<class B>(const B*) {
      WithElement(args.out.element, [&]<class Out>(const Out*) { AddRows<V, A, B, Out>(args); });
    });
  });
}

/// out = f(in, column, elements left in the row), for every vector.
template <class V, class Args, class F>
inline void MapRows(const Args& args, F f) {
  WithElement(args.in.element, [&]<class In>(const In*) {
    WithElement(args.out.element, [&]<class Out>(const Out*) {
      for (int64_t row = 0; row < args.rows; ++row) {
        const In* in = RowOf<In>(args.in, row);
        Out* out = RowOf<Out>(args.out, row);
        for (int64_t i = 0; i < args.columns; i += V::kWidth) {
          const int64_t left = args.columns - i;
          StoreUpTo(f(LoadUpTo<V>(in + i, left), i, left), out + i, left);
        }
      }
    });
  });
}

template <class V>
inline void ScaleColumns(const ScaleColumnsArgs& args) noexcept {
  MapRows<V>(args, [&](V x, int64_t column, int64_t left) {
    return x * LoadUpTo<V>(args.factors + column, left);
  });
}

template <class V>
inline void Activate(const ActivateArgs& args) noexcept {
  const auto map = [&](auto f) { MapRows<V>(args, [f](V x, int64_t, int64_t) { return f(x); }); };
  switch (args.activation) {
    case Activation::kNone:
      return map([](V x) { return x; });
    case Activation::kGeluErf:
      return map([](V x) { return GeluErf(x); });
    case Activation::kGeluTanh:
      return map([](V x) { return GeluTanh(x); });
    case Activation::kQuickGelu:
      return map([](V x) { return QuickGelu(x); });
    case Activation::kRelu:
      return map([](V x) { return Max(V::Set(0.0f), x); });
    case Activation::kTanh:
      return map([](V x) { return Tanh(x); });
    case Activation::kSilu:
      return map([](V x) { return x * Sigmoid(x); });
  }
}

/// Rows are added in groups of 32, and the groups' sums one after another, so that rounding grows
/// with the number of groups only.
template <class V>
inline void MeanRows(const MeanRowsArgs& args) noexcept {
  constexpr int64_t kGroup = 32;
  const V factor = V::Set(static_cast<float>(1.0 / static_cast<double>(args.rows)));
  for (int64_t i = 0; i < args.columns; i += V::kWidth) {
    const int64_t left = args.columns - i;
    V total = V::Set(0.0f);
    for (int64_t first = 0; first < args.rows; first += kGroup) {
      const int64_t last = first + kGroup < args.rows ? first + kGroup : args.rows;
      V sum = V::Set(0.0f);
      for (int64_t row = first; row < last; ++row) {
        sum = sum + LoadUpTo<V>(args.in + row * args.in_stride + i, left);
      }
      total = total + sum;
    }
    StoreUpTo(total * factor, args.out + i, left);
  }
}

template <class V>
constexpr ElementwiseKernels ElementwiseOf(const char* name) {
  return {name, Add<V>, ScaleColumns<V>, Activate<V>, MeanRows<V>};
}

}  // namespace
}  // namespace vernier
