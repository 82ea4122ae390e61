#include "io/torch_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "io/strided_copy.h"
#include "io/torch_names.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Keys under which training scripts put the state dict, in the order tried (timm, Meta,
// detectron2).
constexpr std::string_view kWrappers[] = {"state_dict", "model_state_dict", "weights", "model"};
constexpr int kMaxWrappers = 4;
constexpr size_t kNamesShown = 8;
// Repeated elements (stride 0) make a tensor larger than its storage; buffers of that kind are
// small, so that a larger one is an attempt to fill the memory.
constexpr int64_t kMaxRepeatedBytes = int64_t{64} << 20;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorKind::kInput, why); }

const PickleNode& Argument(const PickleNode& call, size_t index, PickleKind kind,
                           const char* what) {
  const auto& arguments = call.items[0]->items;
  if (index >= arguments.size()) Refuse(fmt::format("its {} is missing", what));
  if (arguments[index]->kind != kind) {
    Refuse(fmt::format("its {} is {}, not {}", what, Describe(arguments[index]->kind),
                       Describe(kind)));
  }
  return *arguments[index];
}

int64_t Count(const PickleNode& node, const char* what) {
  if (node.kind != PickleKind::kInteger || node.integer < 0) {
    Refuse(fmt::format("its {} is no count", what));
  }
  return node.integer;
}

std::vector<int64_t> Counts(const PickleNode& tuple, const char* what) {
  std::vector<int64_t> counts;
  for (const PickleNode* item : tuple.items) counts.push_back(Count(*item, what));
  return counts;
}

bool IsTensor(const PickleNode& node) {
  return node.kind == PickleKind::kCall && node.text.starts_with("torch._utils _rebuild_");
}

// The same elements whatever the strides of axes of size one are.
bool IsRowMajor(const Shape& shape, const std::vector<int64_t>& strides) {
  const std::vector<int64_t> dense = RowMajorStrides(shape);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto at = static_cast<size_t>(axis);
    if (shape[axis] != 1 && strides[at] != dense[at]) return false;
  }
  return true;
}

// The elements of `reference` that lie in the file.
std::span<const uint8_t> FindStorage(const StorageReference& reference, size_t element_bytes,
                                     const TorchStorages& storages) {
  const auto found = storages.bytes.find(reference.key);
  if (found == storages.bytes.end()) {
    Refuse(fmt::format("its storage {} is missing", reference.key));
  }
  const auto room = static_cast<int64_t>(found->second.size() / element_bytes);
  if (reference.view_offset > room || reference.elements > room - reference.view_offset) {
    Refuse(fmt::format("its storage {} has {} bytes, {} elements of {} bytes are declared",
                       reference.key, found->second.size(), reference.elements, element_bytes));
  }
  return found->second.subspan(static_cast<size_t>(reference.view_offset) * element_bytes,
                               static_cast<size_t>(reference.elements) * element_bytes);
}

StoredTensor ReadTensor(const std::string& name, const PickleNode& node,
                        const TorchStorages& storages) {
  if (node.text == kRebuildParameter || node.text == kRebuildParameterWithState) {
    const PickleNode& data = Argument(node, 0, PickleKind::kCall, "data");
    if (data.text == kRebuildParameter || data.text == kRebuildParameterWithState) {
      Refuse("it is a parameter of a parameter");
    }
    return ReadTensor(name, data, storages);
  }
  if (!IsTensor(node)) Refuse("its data is no tensor");
  StorageReference reference =
      ReadStorageReference(Argument(node, 0, PickleKind::kPersistent, "storage"));
  std::optional<DType> dtype = StorageType(reference.type);
  if (IsUntypedStorage(reference.type)) {
    if (node.text != kRebuildTensorV3) Refuse("its element type is missing");
    dtype = TorchType(Argument(node, 6, PickleKind::kGlobal, "element type").text);
    if (dtype) reference.elements /= static_cast<int64_t>(ByteSize(*dtype));
  }
  if (!dtype) Refuse(fmt::format("its storage type {} is unknown", reference.type));
  const size_t element_bytes = ByteSize(*dtype);
  const auto storage = FindStorage(reference, element_bytes, storages);

  const PickleNode& offset_node = Argument(node, 1, PickleKind::kInteger, "offset");
  const int64_t offset = Count(offset_node, "offset");
  const std::vector<int64_t> dims = Counts(Argument(node, 2, PickleKind::kTuple, "shape"), "shape");
  std::vector<int64_t> strides = Counts(Argument(node, 3, PickleKind::kTuple, "stride"), "stride");
  if (dims.size() != strides.size()) Refuse("its shape and stride differ in rank");
  const std::optional<int64_t> bytes = TensorBytes(*dtype, dims);
  if (!bytes) Refuse(fmt::format("shape [{}] is too large", fmt::join(dims, ", ")));
  StoredTensor tensor{.name = name,
                      .dtype = *dtype,
                      .shape = Shape(std::span<const int64_t>(dims)),
                      .big_endian = storages.big_endian && element_bytes > 1};
  const std::optional<int64_t> reached = ReachedElements(tensor.shape, strides);
  if (!reached || offset > reference.elements || *reached > reference.elements - offset) {
    Refuse(fmt::format("offset {}, shape [{}] and stride [{}] run past its storage of {} elements",
                       offset, fmt::join(dims, ", "), fmt::join(strides, ", "),
                       reference.elements));
  }
  if (tensor.shape.elements() > reference.elements && *bytes > kMaxRepeatedBytes) {
    Refuse(
        fmt::format("it repeats {} elements to {}", reference.elements, tensor.shape.elements()));
  }
  tensor.bytes = storage.subspan(static_cast<size_t>(offset) * element_bytes,
                                 static_cast<size_t>(*reached) * element_bytes);
  if (*reached != 0 && !IsRowMajor(tensor.shape, strides)) tensor.strides = std::move(strides);
  return tensor;
}

bool HoldsTensors(const PickleNode& dict) {
  for (size_t i = 1; i < dict.items.size(); i += 2) {
    if (IsTensor(*dict.items[i])) return true;
  }
  return false;
}

// The innermost wrapped dict that holds tensors, else `dict` itself if it does, else nullptr. The
// depth ends the search in a dict that contains itself.
const PickleNode* FindStateDict(const PickleNode& dict, int depth) {
  for (std::string_view wrapper : kWrappers) {
    const PickleNode* inner = depth > 0 ? dict.Find(wrapper) : nullptr;
    if (inner == nullptr || inner->kind != PickleKind::kDict) continue;
    if (const PickleNode* found = FindStateDict(*inner, depth - 1)) return found;
  }
  return HoldsTensors(dict) ? &dict : nullptr;
}

std::string KeysOf(const PickleNode& dict) {
  std::vector<std::string> names;
  for (size_t i = 0; i < dict.items.size() && names.size() < kNamesShown; i += 2) {
    if (dict.items[i]->kind == PickleKind::kString)
      names.push_back(dict.items[i]->text.substr(0, 60));
  }
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

StorageReference ReadStorageReference(const PickleNode& node) {
  const PickleNode& id = *node.items[0];
  if (id.kind != PickleKind::kTuple || id.items.size() < 5 ||
      id.items[0]->kind != PickleKind::kString || id.items[0]->text != "storage" ||
      id.items[1]->kind != PickleKind::kGlobal || id.items[2]->kind != PickleKind::kString) {
    Refuse("its storage is described in an unknown way");
  }
  StorageReference reference{.key = id.items[2]->text,
                             .type = id.items[1]->text,
                             .elements = Count(*id.items[4], "storage's size")};
  if (id.items.size() == 5 || id.items[5]->kind == PickleKind::kNone) return reference;
  const PickleNode& view = *id.items[5];  // (key, offset, size)
  if (view.kind != PickleKind::kTuple || view.items.size() != 3) {
    Refuse("its storage's view is described in an unknown way");
  }
  reference.view_offset = Count(*view.items[1], "view's offset");
  reference.elements = Count(*view.items[2], "view's size");
  return reference;
}

std::vector<StoredTensor> CollectTensors(const PickleNode& root, const TorchStorages& storages,
                                         const std::string& path) {
  if (root.kind != PickleKind::kDict) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected a dict of tensors, found {}", path,
                            IsTensor(root) ? "a single tensor" : Describe(root.kind)),
                "save model.state_dict()");
  }
  const PickleNode* dict = FindStateDict(root, kMaxWrappers);
  if (dict == nullptr) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: it holds no tensors; at its top are {}", path, KeysOf(root)),
                "save model.state_dict()");
  }
  std::vector<StoredTensor> tensors;
  std::unordered_set<std::string_view> names;
  for (size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const PickleNode& key = *dict->items[i];
    const PickleNode& value = *dict->items[i + 1];
    if (key.kind != PickleKind::kString || !IsTensor(value)) continue;
    try {
      if (!names.insert(key.text).second) Refuse("its name occurs twice");
      tensors.push_back(ReadTensor(key.text, value, storages));
    } catch (const Error& error) {
      throw error.WithContext(fmt::format("{}: {}", path, key.text.substr(0, 200)));
    }
  }
  return tensors;
}

}  // namespace vernier
