// Winograd's transforms, AVX-512 F/BW/VL/DQ and BF16, whose one instruction rounds what is stored
// as bf16 (subnormals to zero); without it rounding takes as long as the transform of a tile.
#include "kernels/cpu/vec_avx512.h"
#include "kernels/cpu/winograd_impl.h"

namespace vernier::avx512_bf16 {
namespace {

struct RoundingVec : avx512::Vec {
  using Base = avx512::Vec;
  RoundingVec() = default;
  RoundingVec(Base base) : Base(base) {}  // NOLINT: the operations are those of the base
  static RoundingVec Set(float x) { return Base::Set(x); }
  template <class T>
  static RoundingVec Load(const T* p) {
    return Base::Load(p);
  }
  template <class T>
  static RoundingVec LoadFirst(const T* p, int64_t count) {
    return Base::LoadFirst(p, count);
  }
  void Store(float* p) const { Base::Store(p); }
  void Store(uint16_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), Rounded()); }
  void StoreFirst(float* p, int64_t count) const { Base::StoreFirst(p, count); }
  void StoreFirst(uint16_t* p, int64_t count) const {
    _mm256_mask_storeu_epi16(p, First(count), Rounded());
  }

 private:
  __m256i Rounded() const { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)); }
};

}  // namespace

const WinogradTransforms kWinograd[2] = {WinogradVersion<RoundingVec, WinogradForm::kF2>(),
                                         WinogradVersion<RoundingVec, WinogradForm::kF4>()};

}  // namespace vernier::avx512_bf16
