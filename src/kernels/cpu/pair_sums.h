// What a comparison sums over two arrays, value by value: a candidate against its reference, every
// figure in fp64. Pure, noexcept, no threads. Bound: arithmetic, not bytes (one division, 30
// operations for each vector of pairs).
#pragma once

#include <cstdint>

namespace vernier {

enum class Isa;

/// A pair is within tolerance where |candidate - reference| <= atol + rtol |reference|.
struct PairTolerance {
  double atol = 0;
  double rtol = 0;
};

/// Below this, a reference value has no relative error (2^-52: msaccucmp's bound, specification 9).
inline constexpr double kLeastRelativeReference = 2.220446049250313e-16;
/// What MRE adds to the reference's magnitude (the PaddleOCR-VL protocol).
inline constexpr double kMreEpsilon = 1e-3;

/// Sums and extremes over the pairs whose two values are finite.
struct PairSums {
  int64_t finite = 0;      // pairs counted here
  int64_t within = 0;      // of them, within tolerance
  double needed_atol = 0;  // largest |candidate - reference| - rtol |reference|, at least 0
  double abs = 0;          // sum of |candidate - reference|
  double max_abs = 0;
  double squares = 0;  // of (candidate - reference)
  double relative = 0;
  double max_relative = 0;
  double mre = 0;  // sum of |candidate - reference| / (|reference| + kMreEpsilon)
  double dot = 0;
  double candidate_sum = 0;
  double candidate_squares = 0;
  double candidate_min = 0;  // extremes are meaningless while finite is 0
  double candidate_max = 0;
  double reference_sum = 0;
  double reference_squares = 0;
  double reference_min = 0;
  double reference_max = 0;
};

/// Adds the sums over other pairs.
void MergePairSums(const PairSums& part, PairSums& total) noexcept;

/// u = max((value - min) * scale, floor): how the divergence makes a distribution of any values.
struct PairRanges {
  double candidate_min = 0;
  double candidate_scale = 1;
  double reference_min = 0;
  double reference_scale = 1;
};

/// The floor of a normalised value (fp32's epsilon, as msaccucmp has it).
inline constexpr double kDivergenceFloor = 1.1920928955078125e-07;

/// With u of the candidate and v of the reference: sums of u, of v and of u log(u / v). The vector
/// versions want finite values only and are right to 1e-8 of each term; the scalar one leaves out
/// pairs with a value that is not finite.
struct DivergenceSums {
  double candidate = 0;
  double reference = 0;
  double weighted_log = 0;
};

struct PairKernels {
  const char* name;
  PairSums (*sums)(const float* candidate, const float* reference, int64_t count,
                   const PairTolerance& tolerance) noexcept;
  DivergenceSums (*divergence)(const float* candidate, const float* reference, int64_t count,
                               const PairRanges& ranges) noexcept;
};

/// The fastest version within `isa`.
const PairKernels& SelectPairKernels(Isa isa);

namespace scalar {
// The definition, for doubles too.
template <class T>
PairSums SumPairs(const T* candidate, const T* reference, int64_t count,
                  const PairTolerance& tolerance) noexcept;
template <class T>
DivergenceSums SumDivergence(const T* candidate, const T* reference, int64_t count,
                             const PairRanges& ranges) noexcept;
extern const PairKernels kPairs;
}  // namespace scalar
namespace avx2 {
extern const PairKernels kPairs;
}
namespace avx512 {
extern const PairKernels kPairs;
}
namespace neon {
extern const PairKernels kPairs;
}

}  // namespace vernier
