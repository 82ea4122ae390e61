// File names of Ascend's dumps, as msaccucmp.py reads them. Two forms:
//   golden      {op_name}.{output}.{timestamp}.npy
//   converted   {op_type}.{op_name}.{task}[.{stream}].{timestamp}.{input|output}.{index}.npy
// '/', '.' and ' ' in the names of ops stand as '_'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vernier {

struct AscendName {
  std::string op_type = {};  // empty in the golden form
  std::string op_name;
  bool input = false;
  int64_t index = 0;
  int64_t order = -1;  // the task, which counts up along a run; -1 in the golden form

  /// msaccucmp's column of that name: "op:output:0".
  std::string TensorIndex() const;
};

/// Nothing when the name has neither form.
std::optional<AscendName> ParseAscendName(std::string_view file_name);

}  // namespace vernier
