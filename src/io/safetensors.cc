#include "io/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference reader's limit
constexpr std::string_view kMetadata = "__metadata__";

struct TypeName {
  std::string_view name;
  DType dtype;
};

constexpr TypeName kTypes[] = {
    {"F64", DType::kF64},   {"F32", DType::kF32},        {"F16", DType::kF16},
    {"BF16", DType::kBF16}, {"F8_E4M3", DType::kF8E4M3}, {"F8_E5M2", DType::kF8E5M2},
    {"I64", DType::kI64},   {"I32", DType::kI32},        {"I16", DType::kI16},
    {"I8", DType::kI8},     {"U64", DType::kU64},        {"U32", DType::kU32},
    {"U16", DType::kU16},   {"U8", DType::kU8},          {"BOOL", DType::kBool},
};

[[noreturn]] void Refuse(const std::string& path, const std::string& why,
                         const char* hint = "the file is damaged; get it again") {
  throw Error(ErrorKind::kInput, fmt::format("{}: not a valid safetensors file: {}", path, why),
              hint);
}

uint64_t ReadLength(std::span<const uint8_t> file) {
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{file[i]} << (8 * i);
  return length;
}

std::string_view HeaderText(std::span<const uint8_t> file, const std::string& path) {
  if (file.size() < kLengthBytes) {
    Refuse(path, fmt::format("it has {} bytes, the header's length alone needs 8", file.size()));
  }
  const uint64_t length = ReadLength(file);
  if (length > kMaxHeaderBytes) {
    Refuse(path,
           fmt::format("its header claims {} bytes, the limit is {}", length, kMaxHeaderBytes));
  }
  if (length > file.size() - kLengthBytes) {
    Refuse(path,
           fmt::format("its header claims {} bytes, {} follow", length, file.size() - kLengthBytes),
           "the file is truncated; download it again");
  }
  const auto header = file.subspan(kLengthBytes, length);
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  if (!text.starts_with('{')) Refuse(path, "its header does not begin with '{'");
  return text;
}

DType ParseType(const std::string& name) {
  for (const TypeName& type : kTypes) {
    if (type.name == name) return type.dtype;
  }
  throw Error(ErrorKind::kInput, fmt::format("dtype \"{}\" is not supported", name),
              "convert the checkpoint to F32, BF16 or F16");
}

std::string_view NameOf(DType dtype) {
  const auto found = std::ranges::find(kTypes, dtype, &TypeName::dtype);
  VN_CHECK(found != std::end(kTypes), Name(dtype));
  return found->name;
}

// One entry of the header. Its bytes are set once all of its figures have been compared.
StoredTensor ParseEntry(const std::string& name, const Json& entry, std::span<const uint8_t> data) {
  for (const JsonMember& member : entry.members()) {
    if (member.key != "dtype" && member.key != "shape" && member.key != "data_offsets") {
      throw Error(ErrorKind::kInput, fmt::format("unknown field \"{}\"", member.key));
    }
  }
  StoredTensor tensor{.name = name, .dtype = ParseType(entry.GetString("dtype"))};
  const std::vector<int64_t> dims = entry.GetInts("shape");
  const std::vector<int64_t> offsets = entry.GetInts("data_offsets");
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
    throw Error(ErrorKind::kInput,
                fmt::format("data_offsets [{}] are no span of bytes", fmt::join(offsets, ", ")));
  }
  const std::optional<int64_t> needed = TensorBytes(tensor.dtype, dims);
  if (!needed) {
    throw Error(ErrorKind::kInput,
                fmt::format("shape [{}] is negative or too large", fmt::join(dims, ", ")));
  }
  if (*needed != offsets[1] - offsets[0]) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} [{}] needs {} bytes, its data_offsets span {}", Name(tensor.dtype),
                            fmt::join(dims, ", "), *needed, offsets[1] - offsets[0]));
  }
  tensor.shape = Shape(std::span<const int64_t>(dims));
  if (static_cast<uint64_t>(offsets[1]) > data.size()) {
    throw Error(ErrorKind::kInput,
                fmt::format("its data ends at byte {} of {}", offsets[1], data.size()),
                "the file is truncated; download it again");
  }
  tensor.bytes = data.subspan(static_cast<size_t>(offsets[0]), static_cast<size_t>(*needed));
  return tensor;
}

// Sorted by place, each span must begin where the one before it ended.
void CheckCoverage(const std::vector<StoredTensor>& tensors, std::span<const uint8_t> data,
                   const std::string& path) {
  const uint8_t* expected = data.data();
  const std::string* before = nullptr;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.bytes.data() < expected) {
      Refuse(path, fmt::format("tensors {} and {} overlap", *before, tensor.name));
    }
    if (tensor.bytes.data() > expected) {
      Refuse(path, fmt::format("{} bytes before tensor {} belong to no tensor",
                               tensor.bytes.data() - expected, tensor.name));
    }
    expected = tensor.bytes.data() + tensor.bytes.size();
    before = &tensor.name;
  }
  const auto rest = data.data() + data.size() - expected;
  if (rest != 0) Refuse(path, fmt::format("the last {} bytes belong to no tensor", rest));
}

}  // namespace

SafetensorsHeader ParseSafetensors(std::span<const uint8_t> file, const std::string& path) {
  const std::string_view text = HeaderText(file, path);
  const auto data = file.subspan(kLengthBytes + text.size());
  const Json json = Json::Parse(text, path);
  SafetensorsHeader header;
  for (const JsonMember& member : json.members()) {
    try {
      if (member.key == kMetadata) {
        for (const JsonMember& entry : member.value.members()) {
          header.metadata[entry.key] = member.value.GetString(entry.key);
        }
      } else {
        header.tensors.push_back(ParseEntry(member.key, member.value, data));
      }
    } catch (const Error& error) {
      const bool located = error.message().starts_with(path);
      throw located ? error : error.WithContext(fmt::format("{}: {}", path, member.key));
    }
  }
  std::ranges::stable_sort(header.tensors, [](const StoredTensor& a, const StoredTensor& b) {
    return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
  });
  CheckCoverage(header.tensors, data, path);
  return header;
}

void WriteSafetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                      const TensorSource& source,
                      const std::map<std::string, std::string>& metadata) {
  std::ranges::stable_sort(tensors, std::ranges::greater(),
                           [](const TensorToWrite& t) { return ByteSize(t.dtype); });
  Json header = Json::Object();
  for (const auto& [key, value] : metadata) header[kMetadata][key] = value;
  int64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    VN_CHECK(!header.Has(tensor.name), tensor.name);
    const std::optional<int64_t> bytes = TensorBytes(tensor.dtype, tensor.shape.dims());
    VN_CHECK(bytes.has_value(), tensor.name);
    Json& entry = header[tensor.name];
    entry["dtype"] = NameOf(tensor.dtype);
    entry["shape"] = Json::ArrayOf(tensor.shape.dims());
    entry["data_offsets"] = Json::ArrayOf(std::vector<int64_t>{offset, offset + *bytes});
    offset += *bytes;
  }
  std::string text = header.Compact();
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data is aligned to 8 bytes
  AtomicFile file(path);
  std::string length(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) length[i] = static_cast<char>(text.size() >> (8 * i));
  file.Write(length);
  file.Write(text);
  for (const TensorToWrite& tensor : tensors) {
    const Tensor elements = source(tensor);
    VN_CHECK(elements.dtype() == tensor.dtype && elements.shape() == tensor.shape, tensor.name);
    file.Write({static_cast<const uint8_t*>(elements.data()), elements.bytes()});
  }
  file.Commit();
}

}  // namespace vernier
