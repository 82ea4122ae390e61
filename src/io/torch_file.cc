#include "io/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "io/pickle.h"
#include "io/torch_names.h"
#include "io/torch_tensors.h"
#include "io/zip.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Pickled by protocol 2: the number 0x1950a86a20f9469cfc6c, which opens the stream layout.
constexpr std::array<uint8_t, 15> kStreamMagic = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                                  0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
constexpr int64_t kStreamVersion = 1001;
constexpr std::string_view kPickleMember = "/data.pkl";

[[noreturn]] void Refuse(const std::string& path, const std::string& why,
                         const char* hint = "the file is damaged; get it again") {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", path, why), hint);
}

std::string Text(std::span<const uint8_t> bytes) { return std::string(bytes.begin(), bytes.end()); }

// ---- zip archives: TOP/data.pkl, TOP/data/KEY, TOP/byteorder

TorchFile ParseArchive(std::span<const uint8_t> file, const std::string& path) {
  const ZipMember* pickle_member = nullptr;
  const std::vector<ZipMember> members = ReadZip(file, path);
  for (const ZipMember& member : members) {
    const std::string framed = "/" + member.name;  // files zipped by hand may lack the top folder
    if (!framed.ends_with(kPickleMember)) continue;
    if (pickle_member != nullptr) Refuse(path, "it has two members named data.pkl");
    pickle_member = &member;
  }
  if (pickle_member == nullptr) {
    Refuse(path, "it is a zip archive without data.pkl, so not of torch.save",
           "name the checkpoint file itself");
  }
  const std::string top =
      pickle_member->name.substr(0, pickle_member->name.size() + 1 - kPickleMember.size());
  TorchStorages storages;
  for (const ZipMember& member : members) {
    if (member.name.starts_with(top + "code/")) {
      Refuse(path, "it is a TorchScript program, not a checkpoint",
             "save model.state_dict() with torch.save");
    }
    if (member.name.starts_with(top + "data/")) {
      storages.bytes[member.name.substr(top.size() + 5)] = member.data;
    } else if (member.name == top + "byteorder") {
      const std::string order = Text(member.data.first(std::min<size_t>(member.data.size(), 16)));
      if (order != "little" && order != "big") Refuse(path, "its byte order is unknown");
      storages.big_endian = order == "big";
    }
  }
  const Pickle pickle = Pickle::Parse(pickle_member->data, path, IsAllowedTorchName);
  return {"PyTorch zip archive", CollectTensors(pickle.root(), storages, path)};
}

// ---- the stream: magic, version, machine, object, keys as pickles, then the storages

class StreamReader {
 public:
  StreamReader(std::span<const uint8_t> file, const std::string& path) : rest_(file), path_(path) {}

  TorchFile Read() {
    NextPickle();  // the magic number, which brought us here
    const Pickle version = NextPickle();
    if (version.root().kind != PickleKind::kInteger || version.root().integer != kStreamVersion) {
      Refuse(path_, "its version of the stream layout is unknown");
    }
    const Pickle machine = NextPickle();
    const PickleNode* little = machine.root().Find("little_endian");
    if (little == nullptr || little->kind != PickleKind::kBool) {
      Refuse(path_, "its byte order is missing");
    }
    storages_.big_endian = little->integer == 0;
    const Pickle object = NextPickle();
    ReadElementSizes(object);
    ReadStorages(NextPickle());
    if (!rest_.empty()) Refuse(path_, fmt::format("{} bytes follow its data", rest_.size()));
    return {"PyTorch stream (before 1.6)", CollectTensors(object.root(), storages_, path_)};
  }

 private:
  Pickle NextPickle() {
    Pickle pickle = Pickle::Parse(rest_, path_, IsAllowedTorchName);
    rest_ = rest_.subspan(pickle.size());
    return pickle;
  }

  // The storages say how many elements they have, only the references to them of which size.
  void ReadElementSizes(const Pickle& object) {
    for (const PickleNode* node : object.persistent()) {
      StorageReference reference;
      try {
        reference = ReadStorageReference(*node);
      } catch (const Error& error) {
        throw error.WithContext(path_ + ": a tensor");
      }
      const std::optional<DType> dtype = StorageType(reference.type);
      const size_t bytes = dtype ? ByteSize(*dtype) : 1;
      const auto [known, is_new] = element_bytes_.try_emplace(reference.key, bytes);
      if (!is_new && known->second != bytes) {
        Refuse(path_, fmt::format("storage {} has two element types", reference.key));
      }
    }
  }

  void ReadStorages(const Pickle& keys) {
    if (keys.root().kind != PickleKind::kList) Refuse(path_, "its list of storages is missing");
    for (const PickleNode* key : keys.root().items) {
      const auto element = element_bytes_.find(key->text);
      if (key->kind != PickleKind::kString || element == element_bytes_.end()) {
        Refuse(path_, "its list of storages names one that no tensor uses");
      }
      const uint64_t elements = NextCount(key->text);
      if (elements > rest_.size() / element->second) {
        Refuse(path_,
               fmt::format("storage {} claims {} elements of {} bytes, {} bytes follow", key->text,
                           elements, element->second, rest_.size()),
               "the file is truncated; download it again");
      }
      const auto bytes = rest_.first(elements * element->second);
      if (!storages_.bytes.emplace(key->text, bytes).second) {
        Refuse(path_, fmt::format("storage {} occurs twice", key->text));
      }
      rest_ = rest_.subspan(bytes.size());
    }
  }

  uint64_t NextCount(const std::string& key) {
    if (rest_.size() < 8) {
      Refuse(path_, fmt::format("it ends before storage {}", key),
             "the file is truncated; download it again");
    }
    uint64_t count = 0;
    for (size_t i = 0; i < 8; ++i) {
      count |= uint64_t{rest_[i]} << (8 * (storages_.big_endian ? 7 - i : i));
    }
    rest_ = rest_.subspan(8);
    return count;
  }

  std::span<const uint8_t> rest_;
  const std::string& path_;
  std::map<std::string, size_t, std::less<>> element_bytes_;
  TorchStorages storages_;
};

}  // namespace

TorchFile ParseTorchFile(std::span<const uint8_t> file, const std::string& path) {
  if (LooksLikeZip(file)) return ParseArchive(file, path);
  if (file.size() >= kStreamMagic.size() &&
      std::equal(kStreamMagic.begin(), kStreamMagic.end(), file.begin())) {
    return StreamReader(file, path).Read();
  }
  constexpr uint8_t kProto = 0x80;
  if (!file.empty() && (file[0] == kProto || file[0] == 'c' || file[0] == '(')) {
    // Told apart for the message: code is named, plain data is said to be plain.
    Pickle::Parse(file, path, IsAllowedTorchName);
    Refuse(path, "it is a bare pickle, not a file of torch.save",
           "save model.state_dict() with torch.save");
  }
  Refuse(path, "it is neither a zip archive nor a pickle, so no file of torch.save",
         "name a .bin, .pt or .pth file that torch.save wrote");
}

}  // namespace vernier
