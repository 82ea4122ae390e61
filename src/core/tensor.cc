#include "vernier/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/check.h"
#include "core/float_types.h"
#include "core/huge_pages.h"

namespace vernier {
namespace {

constexpr size_t kAlignment = 64;  // a cache line and the widest vector

// Memory of this size and more starts on a huge page and asks for as many as it fills: none reaches
// beyond the tensor, so that none costs memory.
constexpr size_t kLarge = 4 * kHugePage;

void* Allocate(size_t bytes) {
  const size_t alignment = bytes >= kLarge ? kHugePage : kAlignment;
  const size_t rounded = (std::max<size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  void* p = nullptr;  // not aligned_alloc, whose size has to be a multiple of the alignment
  if (posix_memalign(&p, alignment, rounded) != 0) {
    throw Error(ErrorKind::kResource, fmt::format("out of memory: {} bytes were refused", bytes),
                "use a smaller batch or image, or a machine with more memory");
  }
  if (bytes >= kLarge) AdviseHugePages(p, bytes / kHugePage * kHugePage);
  return p;
}

template <typename From, typename Convert>
void ConvertAll(const TensorView& view, Tensor& out, Convert convert) {
  const auto from = view.as<From>();
  std::transform(from.begin(), from.end(), out.as<float>().begin(), convert);
}

template <typename From>
void CastAll(const TensorView& view, Tensor& out) {
  ConvertAll<From>(view, out, [](From v) { return static_cast<float>(v); });
}

}  // namespace

void Tensor::Free::operator()(void* p) const { std::free(p); }

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  data_.reset(Allocate(bytes()));
}

Tensor Tensor::CopyOf(const TensorView& view) {
  Tensor copy(view.dtype, view.shape);
  if (copy.bytes() != 0) std::memcpy(copy.data(), view.data, copy.bytes());
  return copy;
}

Tensor Tensor::Zeros(DType dtype, const Shape& shape) {
  Tensor zeros(dtype, shape);
  std::memset(zeros.data(), 0, zeros.bytes());
  return zeros;
}

void Tensor::Reshape(const Shape& shape) {
  VN_CHECK(shape.elements() == shape_.elements(),
           fmt::format("{} to {}", shape_.ToString(), shape.ToString()));
  shape_ = shape;
}

Tensor ToFloat32(const TensorView& view) {
  if (view.dtype == DType::kF32) return Tensor::CopyOf(view);
  Tensor out(DType::kF32, view.shape);
  switch (view.dtype) {
    case DType::kF64:
      CastAll<double>(view, out);
      break;
    case DType::kF32:
      break;
    case DType::kF16:
      ConvertAll<uint16_t>(view, out, FromF16);
      break;
    case DType::kBF16:
      ConvertAll<uint16_t>(view, out, FromBf16);
      break;
    case DType::kF8E4M3:
      ConvertAll<uint8_t>(view, out, FromF8E4M3);
      break;
    case DType::kF8E5M2:
      ConvertAll<uint8_t>(view, out, FromF8E5M2);
      break;
    case DType::kI64:
      CastAll<int64_t>(view, out);
      break;
    case DType::kI32:
      CastAll<int32_t>(view, out);
      break;
    case DType::kI16:
      CastAll<int16_t>(view, out);
      break;
    case DType::kI8:
      CastAll<int8_t>(view, out);
      break;
    case DType::kU64:
      CastAll<uint64_t>(view, out);
      break;
    case DType::kU32:
      CastAll<uint32_t>(view, out);
      break;
    case DType::kU16:
      CastAll<uint16_t>(view, out);
      break;
    case DType::kU8:
    case DType::kBool:
      CastAll<uint8_t>(view, out);
      break;
  }
  return out;
}

}  // namespace vernier
