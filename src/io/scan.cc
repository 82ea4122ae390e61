#include "io/scan.h"

#include <algorithm>

#include "core/parallel.h"
#include "io/checkpoint.h"

namespace vernier {
namespace {

// Small enough to stay in the first-level cache between the two passes over a block.
constexpr size_t kBlockBytes = 16 << 10;
// Pieces dealt to threads: large against the cost of a region, small against a tensor.
constexpr int64_t kPieceElements = 1 << 18;

// IEEE formats: all exponent bits set means infinity (mantissa 0) or NaN.
template <typename Bits, Bits kExponent, Bits kMantissa>
NonFinite CountIn(const Bits* values, size_t count) {
  constexpr size_t kBlock = kBlockBytes / sizeof(Bits);
  NonFinite total;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = std::min(count, begin + kBlock);
    Bits found = 0;  // a plain reduction, which compilers turn into vector code
    for (size_t i = begin; i < end; ++i) {
      found |= static_cast<Bits>((values[i] & kExponent) == kExponent);
    }
    if (found == 0) continue;
    for (size_t i = begin; i < end; ++i) {
      if ((values[i] & kExponent) != kExponent) continue;
      ((values[i] & kMantissa) != 0 ? total.nan : total.inf) += 1;
    }
  }
  return total;
}

// E4M3 has no infinities; only all ones after the sign is NaN.
NonFinite CountInF8E4M3(const uint8_t* values, size_t count) {
  const auto nan = [](uint8_t value) { return (value & 0x7f) == 0x7f; };
  return {.nan = std::count_if(values, values + count, nan)};
}

NonFinite CountRange(const TensorView& tensor, int64_t begin, int64_t end) {
  const auto count = static_cast<size_t>(end - begin);
  switch (tensor.dtype) {
    case DType::kF64:
      return CountIn<uint64_t, 0x7ff0000000000000u, 0x000fffffffffffffu>(
          tensor.as<uint64_t>().data() + begin, count);
    case DType::kF32:
      return CountIn<uint32_t, 0x7f800000u, 0x007fffffu>(tensor.as<uint32_t>().data() + begin,
                                                         count);
    case DType::kF16:
      return CountIn<uint16_t, 0x7c00u, 0x03ffu>(tensor.as<uint16_t>().data() + begin, count);
    case DType::kBF16:
      return CountIn<uint16_t, 0x7f80u, 0x007fu>(tensor.as<uint16_t>().data() + begin, count);
    case DType::kF8E5M2:
      return CountIn<uint8_t, 0x7cu, 0x03u>(tensor.as<uint8_t>().data() + begin, count);
    case DType::kF8E4M3:
      return CountInF8E4M3(tensor.as<uint8_t>().data() + begin, count);
    default:
      return {};
  }
}

struct Piece {
  size_t tensor;
  int64_t begin;
  int64_t end;
};

}  // namespace

NonFinite CountNonFinite(const TensorView& tensor) {
  return CountRange(tensor, 0, tensor.shape.elements());
}

std::vector<NonFiniteTensor> FindNonFinite(const Checkpoint& checkpoint, int threads) {
  const auto& tensors = checkpoint.tensors();
  std::vector<TensorView> views(tensors.size());
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!IsFloat(tensors[i].dtype)) continue;
    views[i] = checkpoint.View(tensors[i].name);
    const int64_t elements = tensors[i].shape.elements();
    for (int64_t begin = 0; begin < elements; begin += kPieceElements) {
      pieces.push_back({i, begin, std::min(elements, begin + kPieceElements)});
    }
  }
  std::vector<NonFinite> counts(pieces.size());
  ParallelFor(threads, static_cast<int64_t>(pieces.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const Piece& piece = pieces[static_cast<size_t>(i)];
      counts[static_cast<size_t>(i)] = CountRange(views[piece.tensor], piece.begin, piece.end);
    }
  });
  std::vector<NonFiniteTensor> found;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!counts[i].any()) continue;
    const std::string& name = tensors[pieces[i].tensor].name;
    if (found.empty() || found.back().name != name) found.push_back({name, {}});
    found.back().count.nan += counts[i].nan;
    found.back().count.inf += counts[i].inf;
  }
  checkpoint.CheckIntact();
  return found;
}

}  // namespace vernier
