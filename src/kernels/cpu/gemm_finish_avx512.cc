// Bias, activation, scale, residual and store of a wide panel, AVX-512 F/BW/VL/DQ.
#include <immintrin.h>

#include "kernels/cpu/gemm_finish_simd.h"

namespace vernier::avx512 {
namespace {

__mmask16 First(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }

struct Vector {
  static constexpr int64_t kLanes = 16;
  __m512 v;

  static Vector Set(float x) { return {_mm512_set1_ps(x)}; }
  static Vector Load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static Vector LoadPart(const float* from, int64_t count) {
    return {_mm512_maskz_loadu_ps(First(count), from)};
  }
  static Vector Widened(__m256i bf16) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16))};
  }
  static Vector LoadBf16(const uint16_t* from) {
    return Widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Vector LoadBf16Part(const uint16_t* from, int64_t count) {
    return Widened(_mm256_maskz_loadu_epi16(First(count), from));
  }
  void Store(float* to) const { _mm512_storeu_ps(to, v); }
  void StorePart(float* to, int64_t count) const { _mm512_mask_storeu_ps(to, First(count), v); }
  // By integers, as ToBf16 does it: the conversion instruction would flush subnormals to zero.
  __m256i Bf16() const {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i lowest = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(lowest, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i chosen = _mm512_mask_mov_epi32(rounded, nan, quiet);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(chosen, 16));
  }
  void StoreBf16(uint16_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), Bf16());
  }
  void StoreBf16Part(uint16_t* to, int64_t count) const {
    _mm256_mask_storeu_epi16(to, First(count), Bf16());
  }
  static Vector Fma(Vector a, Vector b, Vector c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static Vector Min(Vector a, Vector b) { return {_mm512_min_ps(a.v, b.v)}; }
  static Vector Max(Vector a, Vector b) { return {_mm512_max_ps(a.v, b.v)}; }
  static Vector Abs(Vector a) { return {_mm512_abs_ps(a.v)}; }
  static Vector Round(Vector a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  static Vector Exp2(Vector n) { return {_mm512_scalef_ps(_mm512_set1_ps(1.0f), n.v)}; }
  static Vector SelectLess(Vector a, Vector b, Vector x, Vector y) {
    return {_mm512_mask_mov_ps(y.v, _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), x.v)};
  }
  friend Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Vector operator-(Vector a, Vector b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Vector operator/(Vector a, Vector b) { return {_mm512_div_ps(a.v, b.v)}; }
};

}  // namespace

void Finish(const GemmFinish& f) noexcept { FinishPanel<Vector, kWidePanelColumns>(f); }

}  // namespace vernier::avx512
