#include "io/torch_names.h"

#include <algorithm>
#include <array>

namespace vernier {
namespace {

struct TypeRow {
  std::string_view storage;  // empty where PyTorch has no typed storage
  std::string_view type;
  DType dtype;
};

constexpr std::array kTypes = {
    TypeRow{"DoubleStorage", "float64", DType::kF64},
    TypeRow{"FloatStorage", "float32", DType::kF32},
    TypeRow{"HalfStorage", "float16", DType::kF16},
    TypeRow{"BFloat16Storage", "bfloat16", DType::kBF16},
    TypeRow{"", "float8_e4m3fn", DType::kF8E4M3},
    TypeRow{"", "float8_e5m2", DType::kF8E5M2},
    TypeRow{"LongStorage", "int64", DType::kI64},
    TypeRow{"IntStorage", "int32", DType::kI32},
    TypeRow{"ShortStorage", "int16", DType::kI16},
    TypeRow{"CharStorage", "int8", DType::kI8},
    TypeRow{"", "uint64", DType::kU64},
    TypeRow{"", "uint32", DType::kU32},
    TypeRow{"", "uint16", DType::kU16},
    TypeRow{"ByteStorage", "uint8", DType::kU8},
    TypeRow{"BoolStorage", "bool", DType::kBool},
};

// Beside the types: what rebuilds a tensor, and harmless values found next to weights (learning
// rate schedules, sizes, devices).
constexpr std::string_view kOthers[] = {
    kRebuildTensorV1,
    kRebuildTensorV2,
    kRebuildTensorV3,
    kRebuildParameter,
    kRebuildParameterWithState,
    "collections OrderedDict",
    "collections Counter",
    "torch Size",
    "torch device",
    "torch.storage UntypedStorage",
};

// The part after "torch " or, in old files saved on a GPU, "torch.cuda "; empty for other modules.
std::string_view WithoutModule(std::string_view name) {
  for (std::string_view module : {"torch ", "torch.cuda "}) {
    if (name.starts_with(module)) return name.substr(module.size());
  }
  return {};
}

std::optional<DType> Lookup(std::string_view name, std::string_view TypeRow::*column) {
  const auto row = std::ranges::find(kTypes, name, column);
  if (name.empty() || row == kTypes.end()) return std::nullopt;
  return row->dtype;
}

}  // namespace

std::optional<DType> StorageType(std::string_view name) {
  return Lookup(WithoutModule(name), &TypeRow::storage);
}

bool IsUntypedStorage(std::string_view name) { return name == "torch.storage UntypedStorage"; }

std::optional<DType> TorchType(std::string_view name) {
  return Lookup(WithoutModule(name), &TypeRow::type);
}

bool IsAllowedTorchName(std::string_view name) {
  return std::ranges::find(kOthers, name) != std::end(kOthers) || StorageType(name) ||
         TorchType(name);
}

}  // namespace vernier
