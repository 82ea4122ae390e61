// Bias, activation, scale, residual and store of a narrow panel, Armv8-A Advanced SIMD.
#include <arm_neon.h>

#include "kernels/cpu/gemm_finish_simd.h"

namespace vernier::neon {
namespace {

struct Vector {
  static constexpr int64_t kLanes = 4;
  float32x4_t v;

  static Vector Set(float x) { return {vdupq_n_f32(x)}; }
  static Vector Load(const float* from) { return {vld1q_f32(from)}; }
  static Vector LoadPart(const float* from, int64_t count) {
    float lanes[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
    return Load(lanes);
  }
  static Vector LoadBf16(const uint16_t* from) {
    return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(from), 16))};
  }
  static Vector LoadBf16Part(const uint16_t* from, int64_t count) {
    uint16_t lanes[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
    return LoadBf16(lanes);
  }
  void Store(float* to) const { vst1q_f32(to, v); }
  void StorePart(float* to, int64_t count) const {
    float lanes[kLanes];
    Store(lanes);
    for (int64_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
  uint16x4_t Bf16() const {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t lowest = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(lowest, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16);
  }
  void StoreBf16(uint16_t* to) const { vst1_u16(to, Bf16()); }
  void StoreBf16Part(uint16_t* to, int64_t count) const {
    uint16_t lanes[kLanes];
    StoreBf16(lanes);
    for (int64_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
  static Vector Fma(Vector a, Vector b, Vector c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
  static Vector Min(Vector a, Vector b) { return {vminq_f32(a.v, b.v)}; }
  static Vector Max(Vector a, Vector b) { return {vmaxq_f32(a.v, b.v)}; }
  static Vector Abs(Vector a) { return {vabsq_f32(a.v)}; }
  static Vector Round(Vector a) { return {vrndnq_f32(a.v)}; }
  static Vector Exp2(Vector n) {
    const int32x4_t biased = vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(127));
    return {vreinterpretq_f32_s32(vshlq_n_s32(biased, 23))};
  }
  static Vector SelectLess(Vector a, Vector b, Vector x, Vector y) {
    return {vbslq_f32(vcltq_f32(a.v, b.v), x.v, y.v)};
  }
  friend Vector operator+(Vector a, Vector b) { return {vaddq_f32(a.v, b.v)}; }
  friend Vector operator-(Vector a, Vector b) { return {vsubq_f32(a.v, b.v)}; }
  friend Vector operator*(Vector a, Vector b) { return {vmulq_f32(a.v, b.v)}; }
  friend Vector operator/(Vector a, Vector b) { return {vdivq_f32(a.v, b.v)}; }
};

}  // namespace

void Finish(const GemmFinish& f) noexcept { FinishPanel<Vector, kNarrowPanelColumns>(f); }

}  // namespace vernier::neon
