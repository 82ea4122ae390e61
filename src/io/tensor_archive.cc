#include "io/tensor_archive.h"

#include <fmt/format.h>

#include <cstring>

#include "core/check.h"
#include "core/sha256.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kMagic = "VNARCH01";
constexpr size_t kAlignment = 64;
constexpr size_t kHashDigits = 64;
// Behind the index: its length as 16 hexadecimal digits, its hash, the magic once more.
constexpr size_t kFooterBytes = 16 + kHashDigits + 8;
constexpr size_t kMaxIndexBytes = size_t{64} << 20;

[[noreturn]] void Refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorKind::kInput, fmt::format("{}: not a usable tensor archive: {}", path, why),
              "the file is damaged or of another kind; record it again");
}

std::string HashOf(std::span<const uint8_t> bytes) {
  Sha256 hash;
  hash.Update(std::as_bytes(bytes));
  return hash.Finish();
}

DType ParseDType(const std::string& name, const std::string& path) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    if (name == Name(static_cast<DType>(i))) return static_cast<DType>(i);
  }
  Refuse(path, fmt::format("unknown type '{}'", name.substr(0, 40)));
}

std::string_view Text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view IndexText(const MappedFile& file) {
  const std::string_view all = Text(file.bytes());
  const std::string& path = file.path();
  if (all.size() < kMagic.size() + kFooterBytes || !all.starts_with(kMagic)) {
    Refuse(path, "it does not begin as one");
  }
  if (!all.ends_with(kMagic)) Refuse(path, "its end is missing");
  const std::string_view footer = all.substr(all.size() - kFooterBytes);
  uint64_t length = 0;
  for (char digit : footer.substr(0, 16)) {
    const size_t value = std::string_view("0123456789abcdef").find(digit);
    if (value == std::string_view::npos) Refuse(path, "the index's length is no number");
    length = length << 4 | value;
  }
  const size_t room = all.size() - kFooterBytes - kMagic.size();
  if (length > kMaxIndexBytes || length > room) {
    Refuse(path, fmt::format("its index claims {} bytes, {} are there", length, room));
  }
  const std::string_view index = all.substr(all.size() - kFooterBytes - length, length);
  if (Sha256Of(index) != footer.substr(16, kHashDigits)) Refuse(path, "its index was changed");
  return index;
}

}  // namespace

TensorArchiveWriter::TensorArchiveWriter(const std::string& path) : file_(path) { Write(kMagic); }

void TensorArchiveWriter::Write(std::string_view bytes) {
  file_.Write(bytes);
  offset_ += bytes.size();
}

void TensorArchiveWriter::Add(const std::string& name, const TensorView& tensor, Json facts) {
  VN_CHECK(names_.emplace(name, true).second, name);
  Write(std::string((kAlignment - offset_ % kAlignment) % kAlignment, '\0'));
  const std::span<const uint8_t> bytes(static_cast<const uint8_t*>(tensor.data), tensor.bytes());
  Json entry = Json::Object();
  entry["name"] = name;
  entry["dtype"] = Name(tensor.dtype);
  entry["shape"] = Json::ArrayOf(tensor.shape.dims());
  entry["offset"] = static_cast<int64_t>(offset_);
  entry["sha256"] = HashOf(bytes);
  entry["facts"] = std::move(facts);
  entries_.Append(std::move(entry));
  file_.Write(bytes);
  offset_ += bytes.size();
}

void TensorArchiveWriter::Finish(Json facts) {
  Json index = Json::Object();
  index["facts"] = std::move(facts);
  index["tensors"] = std::move(entries_);
  const std::string text = index.Compact();
  VN_CHECK(text.size() <= kMaxIndexBytes, "an index that no reader takes");
  Write(text);
  Write(fmt::format("{:016x}{}{}", text.size(), Sha256Of(text), kMagic));
  file_.Commit();
}

TensorArchive TensorArchive::Open(const std::string& path) {
  MappedFile file = MappedFile::Open(path);
  const Json index = Json::Parse(IndexText(file), path);
  return {std::move(file), index};
}

bool TensorArchive::BeginsAsOne(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  return Text(file.bytes()).starts_with(kMagic);
}

TensorArchive::TensorArchive(MappedFile file, const Json& index)
    : file_(std::move(file)), facts_(index.GetObject("facts")) {
  for (const Json& item : index.GetArray("tensors").items()) {
    Entry entry;
    entry.name = item.GetString("name");
    entry.dtype = ParseDType(item.GetString("dtype"), path());
    entry.sha256 = item.GetString("sha256");
    entry.facts = item.GetObject("facts");
    const std::vector<int64_t> dims = item.GetInts("shape");
    const int64_t offset = item.GetInt("offset");
    const uint64_t size = file_.bytes().size();
    uint64_t elements = 1;
    for (int64_t dim : dims) {
      const bool fits = dim >= 0 && (dim == 0 || elements <= size / static_cast<uint64_t>(dim));
      if (!fits) Refuse(path(), fmt::format("{} is larger than the file", entry.name));
      elements *= static_cast<uint64_t>(dim);
    }
    entry.shape = Shape(std::span<const int64_t>(dims));
    const bool inside = offset >= 0 && static_cast<uint64_t>(offset) <= size &&
                        elements * ByteSize(entry.dtype) <= size - static_cast<uint64_t>(offset);
    if (!inside || offset % static_cast<int64_t>(kAlignment) != 0) {
      Refuse(path(), fmt::format("{} lies outside of the file", entry.name));
    }
    entry.offset = static_cast<uint64_t>(offset);
    if (!places_.emplace(entry.name, entries_.size()).second) {
      Refuse(path(), fmt::format("{} is there twice", entry.name));
    }
    entries_.push_back(std::move(entry));
  }
}

const TensorArchive::Entry* TensorArchive::Find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &entries_[found->second];
}

std::span<const uint8_t> TensorArchive::Bytes(const Entry& entry) const {
  const size_t size = static_cast<size_t>(entry.shape.elements()) * ByteSize(entry.dtype);
  return file_.bytes().subspan(entry.offset, size);
}

void TensorArchive::CheckHash(const Entry& entry, std::span<const uint8_t> bytes) const {
  if (HashOf(bytes) != entry.sha256) {
    Refuse(path(), fmt::format("the values of {} were changed", entry.name));
  }
}

Tensor TensorArchive::Read(const Entry& entry) const {
  Tensor tensor(entry.dtype, entry.shape);
  const auto bytes = Bytes(entry);
  if (!bytes.empty()) std::memcpy(tensor.data(), bytes.data(), bytes.size());
  file_.ReleasePages(bytes);
  file_.CheckIntact();
  CheckHash(entry, {static_cast<const uint8_t*>(tensor.data()), tensor.bytes()});
  return tensor;
}

void TensorArchive::CheckValues() const {
  for (const Entry& entry : entries_) CheckHash(entry, Bytes(entry));
  file_.CheckIntact();
}

}  // namespace vernier
