// Sums over pairs, AVX2 and FMA.
#include "kernels/cpu/pair_sums_impl.h"

namespace vernier::avx2 {
namespace {

struct Vectors {
  typedef double Double __attribute__((vector_size(32)));
  typedef int64_t Bits __attribute__((vector_size(32)));
  typedef uint64_t Unsigned __attribute__((vector_size(32)));
  typedef float Float __attribute__((vector_size(16)));
};

}  // namespace

const PairKernels kPairs = PairKernelsOf<Vectors>("avx2");

}  // namespace vernier::avx2
