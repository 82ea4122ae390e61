// Element types, shapes and tensors as the library's users see them.
// A TensorView borrows memory and must not outlive it; a Tensor owns its memory and is move-only.
// All tensors here are dense and row-major (last axis fastest). Thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vernier {

enum class DType : uint8_t {
  kF64,
  kF32,
  kF16,
  kBF16,
  kF8E4M3,  // "F8_E4M3": finite only, no infinities (OCP 8-bit floating point, E4M3FN)
  kF8E5M2,  // "F8_E5M2"
  kI64,
  kI32,
  kI16,
  kI8,
  kU64,
  kU32,
  kU16,
  kU8,
  kBool,
};

/// Bytes of one element.
size_t ByteSize(DType dtype);
/// Lower-case name: "f32", "bf16", "i64", "bool".
const char* Name(DType dtype);
bool IsFloat(DType dtype);

/// Dimensions of a tensor, outermost first; at most kMaxRank, no heap.
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);
  /// Throws Error{kInput} when there are more than kMaxRank dimensions or one is negative.
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  /// Negative axes count from the end.
  int64_t operator[](int axis) const { return dims_[axis < 0 ? axis + rank_ : axis]; }
  void Set(int axis, int64_t size) { dims_[axis < 0 ? axis + rank_ : axis] = size; }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  /// Product of all dimensions, 1 for rank 0. Shapes are checked on entry, so it cannot overflow.
  int64_t elements() const;
  bool operator==(const Shape& other) const;
  /// "[1, 197, 768]".
  std::string ToString() const;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// A dense tensor in memory that somebody else owns.
struct TensorView {
  const void* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;

  size_t bytes() const { return static_cast<size_t>(shape.elements()) * ByteSize(dtype); }
  template <typename T>
  std::span<const T> as() const {
    return {static_cast<const T*>(data), static_cast<size_t>(shape.elements())};
  }
};

/// A dense tensor that owns its memory (64-byte aligned). Elements start uninitialised.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, const Shape& shape);

  static Tensor CopyOf(const TensorView& view);
  static Tensor Zeros(DType dtype, const Shape& shape);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t bytes() const { return static_cast<size_t>(shape_.elements()) * ByteSize(dtype_); }
  void* data() { return data_.get(); }
  const void* data() const { return data_.get(); }
  TensorView view() const { return {data_.get(), dtype_, shape_}; }
  template <typename T>
  std::span<T> as() {
    return {static_cast<T*>(data()), static_cast<size_t>(shape_.elements())};
  }
  template <typename T>
  std::span<const T> as() const {
    return {static_cast<const T*>(data()), static_cast<size_t>(shape_.elements())};
  }
  /// The same elements under another shape of equal size.
  void Reshape(const Shape& shape);

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> data_;
  DType dtype_ = DType::kF32;
  Shape shape_;
};

/// A copy of `view` as fp32; integers and booleans are converted by value.
Tensor ToFloat32(const TensorView& view);

}  // namespace vernier
