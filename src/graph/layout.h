// Where the elements of a value lie in memory. A value's shape, names and numbers are the same
// whatever its layout; the layout pass chooses it, and who reads values out gives logical order.
#pragma once

#include <cstdint>

namespace vernier {

enum class Layout : uint8_t {
  kRowMajor,      // the last axis contiguous, rows of it in the order of the other axes
  kChannelsLast,  // of a map [n, c, h, w]: rows of c channels, one for each pixel in order
};

inline const char* Name(Layout layout) {
  return layout == Layout::kRowMajor ? "row-major" : "channels-last";
}

/// What a node's kernel does with maps, its operands and results of rank 4 that are no weights.
enum class MapSupport : uint8_t {
  kRowMajor,      // takes and gives row-major maps alone
  kAlike,         // takes and gives all of them in either layout
  kChannelsLast,  // works best on channels-last maps, though its first operand may lie either way
};

}  // namespace vernier
