// Sums over pairs, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/pair_sums_impl.h"

namespace vernier::avx512 {
namespace {

struct Vectors {
  typedef double Double __attribute__((vector_size(64)));
  typedef int64_t Bits __attribute__((vector_size(64)));
  typedef uint64_t Unsigned __attribute__((vector_size(64)));
  typedef float Float __attribute__((vector_size(32)));
};

}  // namespace

const PairKernels kPairs = PairKernelsOf<Vectors>("avx512");

}  // namespace vernier::avx512
