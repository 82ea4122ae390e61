// Bias, activation, scale, residual and store of a narrow panel, AVX2 and FMA.
#include <immintrin.h>

#include "kernels/cpu/gemm_finish_simd.h"

namespace vernier::avx2 {
namespace {

// All ones in the first `count` lanes.
__m256i First(int64_t count) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), lanes);
}

struct Vector {
  static constexpr int64_t kLanes = 8;
  __m256 v;

  static Vector Set(float x) { return {_mm256_set1_ps(x)}; }
  static Vector Load(const float* from) { return {_mm256_loadu_ps(from)}; }
  static Vector LoadPart(const float* from, int64_t count) {
    return {_mm256_maskload_ps(from, First(count))};
  }
  static Vector LoadBf16(const uint16_t* from) {
    const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(lanes), 16))};
  }
  static Vector LoadBf16Part(const uint16_t* from, int64_t count) {
    uint16_t lanes[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
    return LoadBf16(lanes);
  }
  void Store(float* to) const { _mm256_storeu_ps(to, v); }
  void StorePart(float* to, int64_t count) const { _mm256_maskstore_ps(to, First(count), v); }
  __m128i Bf16() const {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i lowest = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_add_epi32(bits, _mm256_add_epi32(lowest, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i wide = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  }
  void StoreBf16(uint16_t* to) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), Bf16()); }
  void StoreBf16Part(uint16_t* to, int64_t count) const {
    uint16_t lanes[kLanes];
    StoreBf16(lanes);
    for (int64_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
  static Vector Fma(Vector a, Vector b, Vector c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  static Vector Min(Vector a, Vector b) { return {_mm256_min_ps(a.v, b.v)}; }
  static Vector Max(Vector a, Vector b) { return {_mm256_max_ps(a.v, b.v)}; }
  static Vector Abs(Vector a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
  static Vector Round(Vector a) {
    return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  static Vector Exp2(Vector n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(biased, 23))};
  }
  static Vector SelectLess(Vector a, Vector b, Vector x, Vector y) {
    return {_mm256_blendv_ps(y.v, x.v, _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))};
  }
  friend Vector operator+(Vector a, Vector b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Vector operator-(Vector a, Vector b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Vector operator*(Vector a, Vector b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Vector operator/(Vector a, Vector b) { return {_mm256_div_ps(a.v, b.v)}; }
};

}  // namespace

void Finish(const GemmFinish& f) noexcept { FinishPanel<Vector, kNarrowPanelColumns>(f); }

}  // namespace vernier::avx2
