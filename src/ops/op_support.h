// Helpers for shape rules: one-line checks whose messages say what was expected and found.
#pragma once

#include <string>
#include <vector>

#include "graph/op.h"

namespace vernier {

/// Throws Error{kInput}; the graph adds the node's name.
[[noreturn]] void ShapeError(const std::string& message);
void RequireRank(const ValueType& type, int low, int high, const char* what);
void RequireEqual(const Dim& found, const Dim& expected, const char* what);

/// NumPy broadcasting of two shapes.
Dims Broadcast(const Dims& a, const Dims& b);

/// An axis counted from the front; throws when it is out of range.
int NormalAxis(int axis, int rank);

/// Places of a window of `kernel` elements that moves by `stride` over an axis with `padding` more
/// elements at each end; a window that does not fit as a whole is left out.
Dim WindowCount(const Dim& extent, const Dim& kernel, int64_t stride, int64_t padding);

}  // namespace vernier
