// Sixteen sums of a product in an AVX-512 register (F, BW, VL, DQ), under the names that
// gemm_finish_simd.h uses. Bf16Results says how results become bf16: Round(__m512), and kOnly where
// all results do, with Logistic2(__m512) then. For instruction-set files only: everything here
// stays inside the file that includes it.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace vernier {
namespace {

__mmask16 First(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }

template <typename Bf16Results>
struct FinishVec {
  static constexpr int64_t kLanes = 16;
  static constexpr bool kOnlyBf16 = Bf16Results::kOnly;
  __m512 v;

  static FinishVec Set(float x) { return {_mm512_set1_ps(x)}; }
  static FinishVec Load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static FinishVec LoadPart(const float* from, int64_t count) {
    return {_mm512_maskz_loadu_ps(First(count), from)};
  }
  static FinishVec Widened(__m256i bf16) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16))};
  }
  static FinishVec LoadBf16(const uint16_t* from) {
    return Widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static FinishVec LoadBf16Part(const uint16_t* from, int64_t count) {
    return Widened(_mm256_maskz_loadu_epi16(First(count), from));
  }
  void Store(float* to) const { _mm512_storeu_ps(to, v); }
  void StorePart(float* to, int64_t count) const { _mm512_mask_storeu_ps(to, First(count), v); }
  __m256i Bf16() const { return Bf16Results::Round(v); }
  void StoreBf16(uint16_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), Bf16());
  }
  void StoreBf16Part(uint16_t* to, int64_t count) const {
    _mm256_mask_storeu_epi16(to, First(count), Bf16());
  }
  static FinishVec Fma(FinishVec a, FinishVec b, FinishVec c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  static FinishVec Min(FinishVec a, FinishVec b) { return {_mm512_min_ps(a.v, b.v)}; }
  static FinishVec Max(FinishVec a, FinishVec b) { return {_mm512_max_ps(a.v, b.v)}; }
  static FinishVec Abs(FinishVec a) { return {_mm512_abs_ps(a.v)}; }
  static FinishVec Round(FinishVec a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  static FinishVec Exp2(FinishVec n) { return {_mm512_scalef_ps(_mm512_set1_ps(1.0f), n.v)}; }
  static FinishVec SelectLess(FinishVec a, FinishVec b, FinishVec x, FinishVec y) {
    return {_mm512_mask_mov_ps(y.v, _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), x.v)};
  }
  friend FinishVec operator+(FinishVec a, FinishVec b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend FinishVec operator-(FinishVec a, FinishVec b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend FinishVec operator*(FinishVec a, FinishVec b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend FinishVec operator/(FinishVec a, FinishVec b) { return {_mm512_div_ps(a.v, b.v)}; }
  static FinishVec Logistic2(FinishVec t) requires kOnlyBf16 {
    return {Bf16Results::Logistic2(t.v)};
  }
};

}  // namespace
}  // namespace vernier
