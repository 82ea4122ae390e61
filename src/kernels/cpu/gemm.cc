#include "kernels/cpu/gemm.h"

#include "core/check.h"

namespace vernier {
namespace {

struct Multiplies {
  GemmMultiplyFn f32_f32;
  GemmMultiplyFn f32_bf16;
  GemmMultiplyFn bf16_bf16;
  GemmMultiplyFn f32_i8;
  GemmMultiplyFn bf16_i8;

  GemmMultiplyFn For(DType a, DType b) const {
    if (a == DType::kF32 && b == DType::kF32) return f32_f32;
    if (a == DType::kF32 && b == DType::kBF16) return f32_bf16;
    if (b == DType::kI8) return a == DType::kF32 ? f32_i8 : bf16_i8;
    VN_CHECK(a == DType::kBF16 && b == DType::kBF16);
    return bf16_bf16;
  }
};

GemmKernel Scalar(DType a, DType b) {
  constexpr Multiplies kMultiplies = {scalar::MultiplyF32F32, scalar::MultiplyF32Bf16,
                                      scalar::MultiplyBf16Bf16, scalar::MultiplyF32I8,
                                      scalar::MultiplyBf16I8};
  return {.isa = Isa::kScalar,
          .multiply = kMultiplies.For(a, b),
          .finish = scalar::Finish,
          .finish_to_bf16 = scalar::Finish,
          .panel_columns = kNarrowPanelColumns,
          .tile_rows = 1};
}

#if defined(__x86_64__)

GemmKernel Avx2(DType a, DType b) {
  constexpr Multiplies kMultiplies = {avx2::MultiplyF32F32, avx2::MultiplyF32Bf16,
                                      avx2::MultiplyBf16Bf16, avx2::MultiplyF32I8,
                                      avx2::MultiplyBf16I8};
  return {.isa = Isa::kAvx2,
          .multiply = kMultiplies.For(a, b),
          .finish = avx2::Finish,
          .finish_to_bf16 = avx2::Finish,
          .panel_columns = kNarrowPanelColumns,
          .tile_rows = 6};
}

GemmKernel Avx512(DType a, DType b) {
  constexpr Multiplies kMultiplies = {avx512::MultiplyF32F32, avx512::MultiplyF32Bf16,
                                      avx512::MultiplyBf16Bf16, avx512::MultiplyF32I8,
                                      avx512::MultiplyBf16I8};
  GemmKernel kernel = {.isa = Isa::kAvx512,
                       .multiply = kMultiplies.For(a, b),
                       .finish = avx512::Finish,
                       .finish_to_bf16 = avx512::Finish,
                       .panel_columns = kWidePanelColumns,
                       .tile_rows = 6};
  if (a == DType::kF32 && b == DType::kI8) {
    kernel.widen = avx512::WidenToF32;
    kernel.multiply_widened = avx512::MultiplyF32F32;
  }
  return kernel;
}

// Weights of 8 bits, whose sums are exact: those of every instruction set that takes digits agree.
GemmKernel OfDigits(DType a) {
  const bool wide = a == DType::kF32;
  return {.isa = Isa::kAvx512Bf16,
          .multiply = wide ? avx512_bf16::MultiplyThreeDigitsI8 : avx512_bf16::MultiplyTwoDigitsI8,
          .to_digits = wide ? avx512_bf16::DigitsOfF32 : avx512_bf16::DigitsOfBf16,
          .digits = wide ? 3 : 2,
          .finish = avx512::Finish,
          .finish_to_bf16 = wide ? avx512::Finish : avx512_bf16::FinishToBf16,
          .panel_columns = kWidePanelColumns,
          .tile_rows = wide ? 2 : 3};
}

GemmKernel Avx512Bf16(DType a, DType b) {
  if (b == DType::kI8) return OfDigits(a);
  GemmKernel kernel = Avx512(a, b);
  if (a != DType::kBF16) return kernel;
  kernel.isa = Isa::kAvx512Bf16;
  kernel.finish_to_bf16 = avx512_bf16::FinishToBf16;
  kernel.multiply = avx512_bf16::MultiplyBf16Bf16;
  return kernel;
}

GemmKernel Amx(DType a, DType b) {
  if (b == DType::kI8) {
    GemmKernel kernel = OfDigits(a);
    kernel.isa = Isa::kAmx;
    kernel.multiply = kernel.digits == 3 ? amx::MultiplyThreeDigitsI8 : amx::MultiplyTwoDigitsI8;
    kernel.tile_rows = 32 / kernel.digits;
    return kernel;
  }
  GemmKernel kernel = Avx512(a, b);
  if (a != DType::kBF16) return kernel;
  kernel.isa = Isa::kAmx;
  kernel.finish_to_bf16 = avx512_bf16::FinishToBf16;
  kernel.multiply = amx::MultiplyBf16Bf16;
  kernel.tile_rows = 32;
  return kernel;
}

#elif defined(__aarch64__)

GemmKernel Neon(DType a, DType b) {
  constexpr Multiplies kMultiplies = {neon::MultiplyF32F32, neon::MultiplyF32Bf16,
                                      neon::MultiplyBf16Bf16, neon::MultiplyF32I8,
                                      neon::MultiplyBf16I8};
  return {.isa = Isa::kNeon,
          .multiply = kMultiplies.For(a, b),
          .finish = neon::Finish,
          .finish_to_bf16 = neon::Finish,
          .panel_columns = kNarrowPanelColumns,
          .tile_rows = 6};
}

#endif

}  // namespace

GemmKernel SelectGemm(Isa isa, DType a, DType b) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx2:
      return Avx2(a, b);
    case Isa::kAvx512:
      return Avx512(a, b);
    case Isa::kAvx512Bf16:
      return Avx512Bf16(a, b);
    case Isa::kAmx:
      return Amx(a, b);
#elif defined(__aarch64__)
    case Isa::kNeon:
      return Neon(a, b);
#endif
    default:
      return Scalar(a, b);
  }
}

}  // namespace vernier
