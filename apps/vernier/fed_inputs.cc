#include "fed_inputs.h"

#include <fmt/format.h>

#include <utility>

#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {

NamedTensors ReadFedInputs(const std::vector<std::string>& specifications) {
  NamedTensors inputs;
  for (const std::string& specification : specifications) {
    const size_t equals = specification.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorKind::kUsage, fmt::format("--input: expected NAME=FILE.npy, found '{}'",
                                                 specification.substr(0, 60)));
    }
    Tensor tensor = ReadNpy(specification.substr(equals + 1));
    if (IsFloat(tensor.dtype())) tensor = ToFloat32(tensor.view());
    inputs.insert_or_assign(specification.substr(0, equals), std::move(tensor));
  }
  return inputs;
}

}  // namespace vernier
