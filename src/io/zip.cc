#include "io/zip.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "vernier/error.h"

namespace vernier {
namespace {

// Signatures and sizes from PKWARE's APPNOTE 6.3, sections 4.3.7 to 4.3.16.
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56;
constexpr size_t kLocator64Bytes = 20;
constexpr size_t kMaxCommentBytes = 0xffff;
constexpr uint64_t kIn64 = 0xffffffff;  // "the figure is in the ZIP64 field"
constexpr uint16_t kEncrypted = 1 << 0, kSizesFollowData = 1 << 3;
constexpr uint16_t kZip64Field = 1;

// Little-endian figures at checked places of a span.
class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::span<const uint8_t> Take(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      Fail("its directory points beyond its end");
    }
    return bytes_.subspan(offset, size);
  }
  uint64_t Figure(uint64_t offset, size_t size) const {
    uint64_t value = 0;
    const auto at = Take(offset, size);
    for (size_t i = 0; i < size; ++i) value |= uint64_t{at[i]} << (8 * i);
    return value;
  }
  uint16_t U16(uint64_t offset) const { return static_cast<uint16_t>(Figure(offset, 2)); }
  uint32_t U32(uint64_t offset) const { return static_cast<uint32_t>(Figure(offset, 4)); }
  uint64_t U64(uint64_t offset) const { return Figure(offset, 8); }
  std::string Text(uint64_t offset, uint64_t size) const {
    const auto text = Take(offset, size);
    return std::string(text.begin(), text.end());
  }
  uint64_t size() const { return bytes_.size(); }

  [[noreturn]] void Fail(const std::string& why,
                         const char* hint = "the file is damaged; get it again") const {
    throw Error(ErrorKind::kInput, fmt::format("{}: not a readable zip archive: {}", path_, why),
                hint);
  }

 private:
  std::span<const uint8_t> bytes_;
  const std::string& path_;
};

struct Directory {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
};

// The record at the end of the file, whose comment must reach exactly to the last byte.
uint64_t FindEnd(const Reader& zip) {
  if (zip.size() < kEndBytes) zip.Fail("it ends before its directory");
  const uint64_t last = zip.size() - kEndBytes;
  const uint64_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
  for (uint64_t at = last + 1; at-- > first;) {
    if (zip.U32(at) == kEndSignature && zip.U16(at + 20) == last - at) return at;
  }
  zip.Fail("its directory is missing", "the file is truncated; download it again");
}

Directory ReadEnd(const Reader& zip) {
  const uint64_t end = FindEnd(zip);
  Directory directory{
      .offset = zip.U32(end + 16), .bytes = zip.U32(end + 12), .entries = zip.U16(end + 10)};
  uint64_t limit = end;
  const bool has_64 =
      end >= kLocator64Bytes && zip.U32(end - kLocator64Bytes) == kLocator64Signature;
  if (has_64) {
    const uint64_t at = zip.U64(end - kLocator64Bytes + 8);
    if (zip.Take(at, kEnd64Bytes).size() != kEnd64Bytes || zip.U32(at) != kEnd64Signature) {
      zip.Fail("its ZIP64 record is missing");
    }
    const Directory wide{
        .offset = zip.U64(at + 48), .bytes = zip.U64(at + 40), .entries = zip.U64(at + 32)};
    const auto agree = [](uint64_t narrow, uint64_t full, uint64_t saturated) {
      return narrow == full || narrow == saturated;
    };
    if (!agree(directory.offset, wide.offset, kIn64) ||
        !agree(directory.bytes, wide.bytes, kIn64) ||
        !agree(directory.entries, wide.entries, 0xffff)) {
      zip.Fail("its ZIP64 record disagrees with its end record");
    }
    directory = wide;
    limit = at;
  }
  if (directory.offset > limit || directory.bytes > limit - directory.offset) {
    zip.Fail("its directory points beyond its end");
  }
  if (directory.entries > directory.bytes / kCentralBytes) {
    zip.Fail(fmt::format("it claims {} members, its directory has {} bytes", directory.entries,
                         directory.bytes));
  }
  return directory;
}

// One entry of the directory.
struct Entry {
  std::string name = {};
  uint16_t flags = 0;
  uint16_t method = 0;
  uint64_t stored_bytes = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
  uint64_t header_bytes = 0;  // of the entry itself
};

// Replaces the figures that say "in the ZIP64 field", in the order that the format fixes.
void ReadZip64Field(const Reader& zip, uint64_t at, uint64_t size, Entry& entry) {
  const uint64_t end = at + size;
  while (at + 4 <= end) {
    const uint64_t field_end = at + 4 + zip.U16(at + 2);
    if (zip.U16(at) == kZip64Field && field_end <= end) {
      at += 4;
      for (uint64_t* figure : {&entry.bytes, &entry.stored_bytes, &entry.offset}) {
        if (*figure != kIn64 || at + 8 > field_end) continue;
        *figure = zip.U64(at);
        at += 8;
      }
      return;
    }
    at = field_end;
  }
}

Entry ReadEntry(const Reader& zip, uint64_t at) {
  if (zip.U32(at) != kCentralSignature) zip.Fail("its directory is damaged");
  Entry entry{.flags = zip.U16(at + 8),
              .method = zip.U16(at + 10),
              .stored_bytes = zip.U32(at + 20),
              .bytes = zip.U32(at + 24),
              .offset = zip.U32(at + 42)};
  const uint64_t name = zip.U16(at + 28), extra = zip.U16(at + 30), comment = zip.U16(at + 32);
  entry.name = zip.Text(at + kCentralBytes, name);
  entry.header_bytes = kCentralBytes + name + extra + comment;
  ReadZip64Field(zip, at + kCentralBytes + name, extra, entry);
  return entry;
}

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.starts_with('/')) return false;
  if (name.find('\\') != name.npos || name.find('\0') != name.npos) return false;
  const std::string framed = fmt::format("/{}/", name);
  return framed.find("/../") == framed.npos && framed.find("/./") == framed.npos;
}

// Where the member's data begins, after comparing its own header with the directory's entry.
ZipMember ReadMember(const Reader& zip, const Entry& entry, uint64_t limit) {
  const auto fail = [&](const std::string& why) {
    zip.Fail(fmt::format("member {}: {}", entry.name.substr(0, 200), why));
  };
  if (!IsSafeName(entry.name)) fail("its name leaves the archive's folder");
  if ((entry.flags & kEncrypted) != 0) fail("it is encrypted");
  if (entry.method != 0) {
    zip.Fail(fmt::format("member {} is compressed ({} bytes that claim to be {})", entry.name,
                         entry.stored_bytes, entry.bytes),
             "torch.save never compresses; unpack the archive and pack it with zip -0");
  }
  if (entry.stored_bytes != entry.bytes) fail("its two sizes differ without compression");
  if (zip.U32(entry.offset) != kLocalSignature) fail("its header is missing");
  const uint16_t flags = zip.U16(entry.offset + 6);
  const uint64_t name_bytes = zip.U16(entry.offset + 26);
  const uint64_t extra_bytes = zip.U16(entry.offset + 28);
  Entry local{.name = zip.Text(entry.offset + kLocalBytes, name_bytes),
              .method = zip.U16(entry.offset + 8),
              .stored_bytes = zip.U32(entry.offset + 18),
              .bytes = zip.U32(entry.offset + 22)};
  ReadZip64Field(zip, entry.offset + kLocalBytes + name_bytes, extra_bytes, local);
  // A writer that streams leaves the sizes open and puts them after the data.
  const bool sizes_open = (flags & kSizesFollowData) != 0 && local.stored_bytes == 0;
  if (local.name != entry.name || local.method != entry.method || (flags & kEncrypted) != 0 ||
      (!sizes_open && (local.stored_bytes != entry.stored_bytes || local.bytes != entry.bytes))) {
    fail("its header disagrees with the directory");
  }
  const uint64_t data = entry.offset + kLocalBytes + name_bytes + extra_bytes;
  if (data > limit || entry.bytes > limit - data) fail("its data runs into the directory");
  return {entry.name, zip.Take(data, entry.bytes)};
}

}  // namespace

bool LooksLikeZip(std::span<const uint8_t> file) {
  return file.size() >= 4 && file[0] == 'P' && file[1] == 'K' && file[2] == 3 && file[3] == 4;
}

std::vector<ZipMember> ReadZip(std::span<const uint8_t> file, const std::string& path) {
  const Reader zip(file, path);
  const Directory directory = ReadEnd(zip);
  std::vector<ZipMember> members;
  std::unordered_set<std::string> names;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    const Entry entry = ReadEntry(zip, at);
    at += entry.header_bytes;
    members.push_back(ReadMember(zip, entry, directory.offset));
    if (!names.insert(entry.name).second) {
      zip.Fail(fmt::format("two members are named {}", entry.name));
    }
  }
  if (at != directory.offset + directory.bytes) zip.Fail("its directory is damaged");
  std::vector<const ZipMember*> by_place;
  for (const ZipMember& member : members) {
    if (!member.data.empty()) by_place.push_back(&member);
  }
  std::ranges::sort(by_place, {}, [](const ZipMember* m) { return m->data.data(); });
  for (size_t i = 1; i < by_place.size(); ++i) {
    const auto before = by_place[i - 1]->data;
    if (before.data() + before.size() > by_place[i]->data.data()) {
      zip.Fail(fmt::format("members {} and {} overlap", by_place[i - 1]->name, by_place[i]->name));
    }
  }
  return members;
}

}  // namespace vernier
