// Sums over pairs, NEON (aarch64).
#include "kernels/cpu/pair_sums_impl.h"

namespace vernier::neon {
namespace {

struct Vectors {
  typedef double Double __attribute__((vector_size(16)));
  typedef int64_t Bits __attribute__((vector_size(16)));
  typedef uint64_t Unsigned __attribute__((vector_size(16)));
  typedef float Float __attribute__((vector_size(8)));
};

}  // namespace

const PairKernels kPairs = PairKernelsOf<Vectors>("neon");

}  // namespace vernier::neon
