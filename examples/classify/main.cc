// Links the installed library: cmake -S . -B build -DCMAKE_PREFIX_PATH=PREFIX
#include <cstdio>

#include "vernier/tensor.h"
#include "vernier/version.h"

int main() {
  const vernier::Tensor image = vernier::Tensor::Zeros(vernier::DType::kF32, {1, 3, 8, 8});
  std::printf("vernier %s, an image of shape %s\n", vernier::Version(),
              image.shape().ToString().c_str());
  return 0;
}
