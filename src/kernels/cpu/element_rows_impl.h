// Rows of either element type, for the templates of instruction-set files.
#pragma once

#include "kernels/cpu/elementwise.h"

namespace vernier {
namespace {

template <class T>
inline const T* RowOf(const ConstElementRows& rows, int64_t row) {
  return static_cast<const T*>(rows.data) + row * rows.stride;
}

template <class T>
inline T* RowOf(const ElementRows& rows, int64_t row) {
  return static_cast<T*>(rows.data) + row * rows.stride;
}

/// Calls f with a null pointer of the element's type, so that f can be a template over it.
template <class F>
inline void WithElement(Element element, F f) {
  if (element == Element::kF32) {
    f(static_cast<const float*>(nullptr));
  } else {
    f(static_cast<const uint16_t*>(nullptr));
  }
}

}  // namespace
}  // namespace vernier
