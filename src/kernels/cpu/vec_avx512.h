// Sixteen floats in an AVX-512 register (F, BW, VL, DQ), under the names that the shared kernel
// templates use. bf16 is widened exactly on loading and rounded to nearest even on storing.
// For instruction-set files only: everything here stays inside the file that includes it.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace vernier::avx512 {
namespace {

struct Vec {
  static constexpr int64_t kWidth = 16;
  __m512 v;

  static __mmask16 First(int64_t count) { return static_cast<__mmask16>((1u << count) - 1u); }
  static Vec Set(float x) { return {_mm512_set1_ps(x)}; }
  static Vec Load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec Load(const uint16_t* p) {
    return Widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  /// The first `count` < kWidth elements; zero behind them, and nothing behind them is read.
  static Vec LoadFirst(const float* p, int64_t count) {
    return {_mm512_maskz_loadu_ps(First(count), p)};
  }
  static Vec LoadFirst(const uint16_t* p, int64_t count) {
    return Widen(_mm256_maskz_loadu_epi16(First(count), p));
  }
  /// (x0, x0, x1, x1, …) from kWidth / 2 floats.
  static Vec TwiceEach(const float* p) {
    const __m512i places = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return {_mm512_permutexvar_ps(places, _mm512_castps256_ps512(_mm256_loadu_ps(p)))};
  }
  void Store(float* p) const { _mm512_storeu_ps(p, v); }
  void Store(uint16_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), Narrow()); }
  void StoreFirst(float* p, int64_t count) const { _mm512_mask_storeu_ps(p, First(count), v); }
  void StoreFirst(uint16_t* p, int64_t count) const {
    _mm256_mask_storeu_epi16(p, First(count), Narrow());
  }

  /// This vector's first `count` elements, `other` behind them.
  Vec FirstOr(int64_t count, Vec other) const {
    return {_mm512_mask_blend_ps(First(count), other.v, v)};
  }
  float Sum() const { return _mm512_reduce_add_ps(v); }
  float Max() const { return _mm512_reduce_max_ps(v); }
  /// The sums of four.
  static void StoreSums(const Vec (&x)[4], float* to) {
    const auto halves = [](Vec a, Vec b) {  // sums of a and b by turns
      return _mm512_add_ps(_mm512_unpacklo_ps(a.v, b.v), _mm512_unpackhi_ps(a.v, b.v));
    };
    const __m512 low = halves(x[0], x[1]), high = halves(x[2], x[3]);
    const __m512 lanes =
        _mm512_add_ps(_mm512_shuffle_ps(low, high, 0x44), _mm512_shuffle_ps(low, high, 0xEE));
    const __m256 two =
        _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
  }
  /// (x1, x0, x3, x2, …).
  Vec SwapPairs() const { return {_mm512_permute_ps(v, 0xB1)}; }

  /// (low0, high0, low1, high1, …) from kWidth 2-byte values each.
  static void Interleave(const uint16_t* low, const uint16_t* high, uint16_t* to) {
    const auto widen = [](const uint16_t* p) {
      return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    };
    _mm512_storeu_si512(to, _mm512_or_si512(widen(low), _mm512_slli_epi32(widen(high), 16)));
  }

  /// out[column][row] = in[row][column] for a kWidth × kWidth block of 4-byte values; strides count
  /// values. Moves bits only, so any 4-byte value may travel.
  static void TransposeBlock(const float* in, int64_t in_stride, float* out, int64_t out_stride) {
    __m512 r[16], t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_ps(in + i * in_stride);
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
      r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
      r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    // Now r[4 g + c] holds, in 128-bit lane l, column 4 l + c of rows 4 g to 4 g + 3.
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      const __m512 low01 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);
      const __m512 high01 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xDD);
      const __m512 low23 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
      const __m512 high23 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xDD);
      _mm512_storeu_ps(out + c * out_stride, _mm512_shuffle_f32x4(low01, low23, 0x88));
      _mm512_storeu_ps(out + (4 + c) * out_stride, _mm512_shuffle_f32x4(high01, high23, 0x88));
      _mm512_storeu_ps(out + (8 + c) * out_stride, _mm512_shuffle_f32x4(low01, low23, 0xDD));
      _mm512_storeu_ps(out + (12 + c) * out_stride, _mm512_shuffle_f32x4(high01, high23, 0xDD));
    }
  }

 private:
  static Vec Widen(__m256i bits) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
  }
  __m256i Narrow() const {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i kept = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16));
  }
};

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec Fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
/// The second operand where either is NaN.
inline Vec Max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec Min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec Abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline Vec Round(Vec a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
/// a · 2^n for a whole n in [-252, 254], underflow and overflow included.
inline Vec Scale2(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }
/// a < b ? x : y, element by element.
inline Vec IfLess(Vec a, Vec b, Vec x, Vec y) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), y.v, x.v)};
}
/// |magnitude| with the signs of `sign`.
inline Vec WithSign(Vec magnitude, Vec sign) {
  const __m512i bit = _mm512_set1_epi32(static_cast<int>(0x80000000u));
  return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(bit, _mm512_castps_si512(sign.v),
                                                        _mm512_castps_si512(magnitude.v), 0xCA))};
}
/// Negates the elements at even places: (-x0, x1, -x2, x3, …).
inline Vec NegateEven(Vec a) {
  return {_mm512_xor_ps(a.v, _mm512_castsi512_ps(_mm512_set1_epi64(0x80000000ll)))};
}

}  // namespace
}  // namespace vernier::avx512
