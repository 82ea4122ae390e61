// Four floats in a NEON register (aarch64), under the names that the shared kernel templates use;
// vec_avx512.h says what each operation means. For instruction-set files only.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace vernier::neon {
namespace {

struct Vec {
  static constexpr int64_t kWidth = 4;
  float32x4_t v;

  static uint32x4_t First(int64_t count) {
    constexpr uint32_t kPlaces[4] = {0, 1, 2, 3};
    return vcltq_u32(vld1q_u32(kPlaces), vdupq_n_u32(static_cast<uint32_t>(count)));
  }
  static Vec Set(float x) { return {vdupq_n_f32(x)}; }
  static Vec Load(const float* p) { return {vld1q_f32(p)}; }
  static Vec Load(const uint16_t* p) {
    return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
  }
  template <class T>
  static Vec LoadFirst(const T* p, int64_t count) {
    T all[4] = {};
    for (int64_t i = 0; i < count; ++i) all[i] = p[i];
    return Load(all);
  }
  static Vec TwiceEach(const float* p) {
    const float32x2_t two = vld1_f32(p);
    return {vcombine_f32(vdup_lane_f32(two, 0), vdup_lane_f32(two, 1))};
  }
  void Store(float* p) const { vst1q_f32(p, v); }
  void Store(uint16_t* p) const {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    vst1_u16(p, vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16));
  }
  template <class T>
  void StoreFirst(T* p, int64_t count) const {
    T all[4];
    Store(all);
    for (int64_t i = 0; i < count; ++i) p[i] = all[i];
  }

  Vec FirstOr(int64_t count, Vec other) const { return {vbslq_f32(First(count), v, other.v)}; }
  float Sum() const { return vaddvq_f32(v); }
  float Max() const { return vmaxvq_f32(v); }
  /// The sums of four.
  static void StoreSums(const Vec (&x)[4], float* to) {
    vst1q_f32(to, vpaddq_f32(vpaddq_f32(x[0].v, x[1].v), vpaddq_f32(x[2].v, x[3].v)));
  }
  Vec SwapPairs() const { return {vrev64q_f32(v)}; }

  static void TransposeBlock(const float* in, int64_t in_stride, float* out, int64_t out_stride) {
    float32x4x4_t rows;
    rows.val[0] = vld1q_f32(in);
    rows.val[1] = vld1q_f32(in + in_stride);
    rows.val[2] = vld1q_f32(in + 2 * in_stride);
    rows.val[3] = vld1q_f32(in + 3 * in_stride);
    float columns[16];
    vst4q_f32(columns, rows);  // column by column interleaved: element 4 c + r is row r, column c
    for (int c = 0; c < 4; ++c) vst1q_f32(out + c * out_stride, vld1q_f32(columns + 4 * c));
  }
};

inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec Fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec Max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
inline Vec Min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
inline Vec Abs(Vec a) { return {vabsq_f32(a.v)}; }
inline Vec Round(Vec a) { return {vrndnq_f32(a.v)}; }
inline Vec Scale2(Vec a, Vec n) {
  // In two steps, so that each power is a normal number.
  const int32x4_t whole = vcvtq_s32_f32(n.v);
  const int32x4_t half = vshrq_n_s32(whole, 1);
  const int32x4_t bias = vdupq_n_s32(127);
  const int32x4_t first = vshlq_n_s32(vaddq_s32(half, bias), 23);
  const int32x4_t second = vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), bias), 23);
  return {vmulq_f32(vmulq_f32(a.v, vreinterpretq_f32_s32(first)), vreinterpretq_f32_s32(second))};
}
inline Vec IfLess(Vec a, Vec b, Vec x, Vec y) { return {vbslq_f32(vcltq_f32(a.v, b.v), x.v, y.v)}; }
inline Vec WithSign(Vec magnitude, Vec sign) {
  return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, magnitude.v)};
}
inline Vec NegateEven(Vec a) {
  return {vreinterpretq_f32_u64(veorq_u64(vreinterpretq_u64_f32(a.v), vdupq_n_u64(0x80000000u)))};
}

}  // namespace
}  // namespace vernier::neon
