// Packed matrix multiplication by i8 weights, AVX-512 F/BW/VL/DQ and VNNI. Wide panels in quads of
// k (pack.h); rows come as digits (gemm_abi.h), and vpdpbusd adds four products of bytes to each
// i32 sum, exactly. Weights enter as they lie: no instruction widens them, which bound a single row
// more than memory did. A tile holds 24 sums, of two rows of three digits or of three rows of two.
// Bound: one vpdpbusd a cycle, 64 multiply-adds, thus half as many for two digits as for one: as
// many as vdpbf16ps has.
#include <immintrin.h>

#include "kernels/cpu/gemm_multiply_simd.h"

namespace vernier::avx512_bf16 {
namespace {

constexpr int kLanesOf512 = 16;
constexpr int64_t kQuad = 4;

// The sums of a row's digits as one, of 16 columns.
template <int kDigits>
[[gnu::always_inline]] inline void StoreSums(const GemmMultiply& g, int64_t row, int vector,
                                             const __m512i (&sums)[kDigits]) {
  const int32_t* starts = g.digits_starts + row * kDigits;
  __m512 sum = _mm512_setzero_ps();
#pragma GCC unroll 3
  for (int digit = 0; digit < kDigits; ++digit) {
    const __m512i of_digit = _mm512_add_epi32(sums[digit], _mm512_set1_epi32(starts[digit]));
    sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(256.0f), _mm512_cvtepi32_ps(of_digit));
  }
  float* to = g.sums + row * kWidePanelColumns + vector * kLanesOf512;
  const __m512 before = g.accumulate ? _mm512_loadu_ps(to) : _mm512_setzero_ps();
  _mm512_storeu_ps(to, _mm512_fmadd_ps(sum, _mm512_set1_ps(g.digits_scale[row]), before));
}

template <int kDigits>
void StoreRows(const GemmMultiply& g, int64_t first_row, int64_t rows, const int32_t* sums) {
  for (int64_t row = 0; row < rows; ++row, sums += kDigits * kWidePanelColumns) {
    for (int vector = 0; vector < kWidePanelColumns / kLanesOf512; ++vector) {
      __m512i digits[kDigits];
      for (int digit = 0; digit < kDigits; ++digit) {
        digits[digit] = _mm512_loadu_si512(sums + digit * kWidePanelColumns + vector * kLanesOf512);
      }
      StoreSums<kDigits>(g, first_row + row, vector, digits);
    }
  }
}

template <int kDigitsOfRow>
struct QuadsOfI8 {
  using A = int8_t;
  static constexpr int kLanes = kLanesOf512;
  static constexpr int kVectors = kWidePanelColumns / kLanes;
  static constexpr int kDigits = kDigitsOfRow;
  static constexpr int kTileRows = 6 / kDigits;

  template <int kWanted, int kRows>
  static void MultiplyTile(const GemmMultiply& g, int64_t first_row, Prefetch panel) {
    constexpr int kDigitRows = kRows * kDigits;
    ActivationRows a(static_cast<const int8_t*>(g.a) + first_row * kDigits * g.a_stride,
                     g.a_stride);
    const auto* b = static_cast<const uint8_t*>(g.b);
    const auto* const end = b + (g.k + kQuad - 1) / kQuad * kQuad * kWidePanelColumns;
    TileFetch<QuadsOfI8, kRows> fetch(g, first_row, panel);
    __m512i sums[kDigitRows][kWanted];
    // Reading zeros leaves the sums in registers all through the loop.
    alignas(64) static constexpr int32_t kZeros[kDigitRows * kWanted * kLanes] = {};
    EachSum<kDigitRows, kWanted>([&](int row, int vector) {
      sums[row][vector] = _mm512_load_si512(kZeros + (row * kWanted + vector) * kLanes);
    });
    while (b < end) {
      fetch.Step(a);
      asm("" : "+m"(fetch));  // in memory meanwhile: the loop needs the registers
      constexpr int64_t kStep = kFetchStep<A> * kWidePanelColumns;
      const auto* const step_end = end - b < kStep ? end : b + kStep;
      for (; b < step_end; b += kQuad * kWidePanelColumns) {
        AddQuads<kDigitRows, kWanted>(a, b, sums);
        a.Advance(kQuad);
      }
    }
    EachSum<kRows, kWanted>([&](int row, int vector) {
      __m512i digits[kDigits];
      for (int digit = 0; digit < kDigits; ++digit) {
        digits[digit] = sums[row * kDigits + digit][vector];
      }
      StoreSums<kDigits>(g, first_row + row, vector, digits);
    });
  }

 private:
  template <int kDigitRows, int kWanted>
  [[gnu::always_inline]] static void AddQuads(const ActivationRows<int8_t>& a, const uint8_t* b,
                                              __m512i (&sums)[kDigitRows][kWanted]) {
    __m512i weights[kWanted];
    for (int vector = 0; vector < kWanted; ++vector) {
      weights[vector] = _mm512_loadu_si512(b + vector * kLanes * kQuad);
    }
#pragma GCC unroll 16
    for (int row = 0; row < kDigitRows; ++row) {
      int32_t quad = 0;
      __builtin_memcpy(&quad, a[row], sizeof(quad));
      const __m512i factor = _mm512_set1_epi32(quad);
      for (int vector = 0; vector < kWanted; ++vector) {
        sums[row][vector] = _mm512_dpbusd_epi32(sums[row][vector], weights[vector], factor);
      }
    }
  }
};

struct F32Row {
  static constexpr int kDigits = 3;
  static __m512 Load(const void* row, int64_t k, __mmask16 wanted) {
    return _mm512_maskz_loadu_ps(wanted, static_cast<const float*>(row) + k);
  }
};

struct Bf16Row {
  static constexpr int kDigits = 2;
  static __m512 Load(const void* row, int64_t k, __mmask16 wanted) {
    const __m256i bits = _mm256_maskz_loadu_epi16(wanted, static_cast<const uint16_t*>(row) + k);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
};

__mmask16 LanesBelow(int64_t count) {
  if (count <= 0) return 0;
  return static_cast<__mmask16>(count < kLanesOf512 ? (1u << count) - 1 : 0xffff);
}

// By bits, of which infinity has more than any number, and NaN more than infinity.
template <typename Row>
float LargestSize(const void* row, int64_t k) {
  __m512i largest = _mm512_setzero_si512();
  for (int64_t at = 0; at < k; at += kLanesOf512) {
    const __m512i bits = _mm512_castps_si512(Row::Load(row, at, LanesBelow(k - at)));
    largest = _mm512_max_epu32(largest, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
  }
  const uint32_t bits = _mm512_reduce_max_epu32(largest);
  float size = 0;
  __builtin_memcpy(&size, &bits, sizeof(size));
  return size;
}

// Digits of one row in -128...127 are the bytes of its whole numbers plus 128 in each, less 128.
template <typename Row>
void DigitsOfRow(const GemmDigits& g, int64_t row) {
  constexpr int kDigits = Row::kDigits;
  constexpr int32_t kHalves = kDigits == 3 ? 0x808080 : 0x8080;
  // One less than digits hold, for what rounding may add to the largest.
  constexpr float kMost = static_cast<float>((kDigits == 3 ? 0xffffff : 0xffff) - kHalves - 1);
  constexpr float kLeastSize = 0x1p-100f;  // smaller ones are zero; their factor would overflow
  constexpr float kInfinity = __builtin_inff();
  const auto* from = static_cast<const char*>(g.a) + row * g.a_stride * (kDigits == 3 ? 4 : 2);
  int8_t* to = g.digits + row * kDigits * g.stride;
  const float size = LargestSize<Row>(from, g.k);
  const bool finite = size < kInfinity;
  const float bounded = size < kLeastSize ? kLeastSize : size;
  g.scale[row] = finite ? bounded / kMost : __builtin_nanf("");
  const __m512 factor = _mm512_set1_ps(finite ? kMost / bounded : 0.0f);
  for (int64_t at = 0; at < g.stride; at += kLanesOf512) {
    const __mmask16 wanted = finite ? LanesBelow(g.k - at) : 0;
    const __m512 steps = _mm512_mul_ps(Row::Load(from, at, wanted), factor);
    const __m512i whole = _mm512_add_epi32(_mm512_cvtps_epi32(steps), _mm512_set1_epi32(kHalves));
#pragma GCC unroll 3
    for (int digit = 0; digit < kDigits; ++digit) {
      const auto shift = static_cast<unsigned>(8 * (kDigits - 1 - digit));
      const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_srli_epi32(whole, shift));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + digit * g.stride + at),
                       _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
    }
  }
  const __m512i kept_as = _mm512_set1_epi8(-128);  // as bytes without a sign: 128
  for (int64_t block = 0; block * g.k_block < g.stride; ++block) {
    const int64_t first = block * g.k_block;
    const int64_t last = first + g.k_block < g.stride ? first + g.k_block : g.stride;
    int32_t* starts = g.starts + block * g.starts_stride + row * kDigits;
    for (int digit = 0; digit < kDigits; ++digit) {
      __m512i sum = _mm512_setzero_si512();
      for (int64_t at = first; at < last; at += kDigitsAlignment) {
        sum = _mm512_dpbusd_epi32(sum, kept_as, _mm512_loadu_si512(to + digit * g.stride + at));
      }
      starts[digit] = -_mm512_reduce_add_epi32(sum);
    }
  }
}

template <typename Row>
void DigitsOf(const GemmDigits& g) {
  for (int64_t row = 0; row < g.rows; ++row) DigitsOfRow<Row>(g, row);
}

}  // namespace

void DigitsOfF32(const GemmDigits& g) noexcept { DigitsOf<F32Row>(g); }
void DigitsOfBf16(const GemmDigits& g) noexcept { DigitsOf<Bf16Row>(g); }
void MultiplyThreeDigitsI8(const GemmMultiply& g) noexcept { MultiplyPanel<QuadsOfI8<3>>(g); }
void MultiplyTwoDigitsI8(const GemmMultiply& g) noexcept { MultiplyPanel<QuadsOfI8<2>>(g); }
void StoreThreeDigits(const GemmMultiply& g, int64_t first_row, int64_t rows,
                      const int32_t* sums) noexcept {
  StoreRows<3>(g, first_row, rows, sums);
}
void StoreTwoDigits(const GemmMultiply& g, int64_t first_row, int64_t rows,
                    const int32_t* sums) noexcept {
  StoreRows<2>(g, first_row, rows, sums);
}

}  // namespace vernier::avx512_bf16
