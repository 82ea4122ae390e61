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

// One entry of the header; its bytes are set once the spans of all have been compared.
struct Entry {
  StoredTensor tensor;
  uint64_t begin = 0;  // in the data that follows the header
  uint64_t end = 0;
};

Entry ParseEntry(const std::string& name, const Json& json) {
  for (const JsonMember& member : json.members()) {
    if (member.key != "dtype" && member.key != "shape" && member.key != "data_offsets") {
      throw Error(ErrorKind::kInput, fmt::format("unknown field \"{}\"", member.key));
    }
  }
  const DType dtype = ParseType(json.GetString("dtype"));
  const std::vector<int64_t> dims = json.GetInts("shape");
  const std::vector<int64_t> offsets = json.GetInts("data_offsets");
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
    throw Error(ErrorKind::kInput,
                fmt::format("data_offsets [{}] are no span of bytes", fmt::join(offsets, ", ")));
  }
  const std::optional<int64_t> needed = TensorBytes(dtype, dims);
  if (!needed) {
    throw Error(ErrorKind::kInput,
                fmt::format("shape [{}] is negative or too large", fmt::join(dims, ", ")));
  }
  if (*needed != offsets[1] - offsets[0]) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} [{}] needs {} bytes, its data_offsets span {}", Name(dtype),
                            fmt::join(dims, ", "), *needed, offsets[1] - offsets[0]));
  }
  const Shape shape{std::span<const int64_t>(dims)};
  return {.tensor = {.name = name, .dtype = dtype, .shape = shape},
          .begin = static_cast<uint64_t>(offsets[0]),
          .end = static_cast<uint64_t>(offsets[1])};
}

// Sorted by place, each span must begin where the one before it ended, and the last one end where
// the file does.
void CheckCoverage(const std::vector<Entry>& entries, uint64_t header_end, uint64_t file_bytes,
                   const std::string& path) {
  uint64_t expected = 0;
  const Entry* before = nullptr;
  for (const Entry& entry : entries) {
    if (entry.begin < expected) {
      Refuse(path,
             fmt::format("tensors {} and {} overlap", before->tensor.name, entry.tensor.name));
    }
    if (entry.begin > expected) {
      Refuse(path, fmt::format("{} bytes before tensor {} belong to no tensor",
                               entry.begin - expected, entry.tensor.name));
    }
    expected = entry.end;
    before = &entry;
  }
  const uint64_t data_bytes = file_bytes - header_end;
  if (expected > data_bytes) {
    Refuse(path,
           fmt::format("its tensors need {} bytes, the file has {}", header_end + expected,
                       file_bytes),
           "the file is truncated; download it again");
  }
  if (expected < data_bytes) {
    Refuse(path, fmt::format("the last {} bytes belong to no tensor", data_bytes - expected));
  }
}

}  // namespace

SafetensorsHeader ParseSafetensors(std::span<const uint8_t> file, const std::string& path) {
  const std::string_view text = HeaderText(file, path);
  const Json json = Json::Parse(text, path);
  SafetensorsHeader header;
  std::vector<Entry> entries;
  for (const JsonMember& member : json.members()) {
    try {
      if (member.key == kMetadata) {
        for (const JsonMember& entry : member.value.members()) {
          header.metadata[entry.key] = member.value.GetString(entry.key);
        }
      } else {
        entries.push_back(ParseEntry(member.key, member.value));
      }
    } catch (const Error& error) {
      const bool located = error.message().starts_with(path);
      throw located ? error : error.WithContext(fmt::format("{}: {}", path, member.key));
    }
  }
  std::ranges::stable_sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  const uint64_t header_end = kLengthBytes + text.size();
  CheckCoverage(entries, header_end, file.size(), path);
  for (Entry& entry : entries) {
    entry.tensor.bytes = file.subspan(header_end + entry.begin, entry.end - entry.begin);
    header.tensors.push_back(std::move(entry.tensor));
  }
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
