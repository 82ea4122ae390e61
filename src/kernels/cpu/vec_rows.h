// Loops over rows of any length in whole vectors and a tail, over any Vec (vec_<isa>.h), for
// instruction-set files only.
#pragma once

#include <cstdint>

namespace vernier {
namespace {

template <class V, class In>
inline V LoadUpTo(const In* in, int64_t count) {
  return count >= V::kWidth ? V::Load(in) : V::LoadFirst(in, count);
}

template <class V, class Out>
inline void StoreUpTo(V x, Out* out, int64_t count) {
  if (count >= V::kWidth) {
    x.Store(out);
  } else {
    x.StoreFirst(out, count);
  }
}

}  // namespace
}  // namespace vernier
