#include "io/checkpoint.h"

#include <fmt/format.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "io/checkpoint_files.h"
#include "io/impostor.h"
#include "io/mapped_file.h"
#include "io/safetensors.h"
#include "io/stored_tensor.h"
#include "io/torch_file.h"
#include "io/zip.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kParallelPrefix = "module.";  // torch.nn.DataParallel and its like

bool IsSafetensors(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (file.path().ends_with(".safetensors")) return true;
  return !LooksLikeZip(bytes) && bytes.size() > 8 && bytes[8] == '{';
}

std::string WithoutPrefix(std::string name) {
  if (name.starts_with(kParallelPrefix)) name.erase(0, kParallelPrefix.size());
  return name;
}

}  // namespace

struct Checkpoint::Content {
  // A copy of a tensor that cannot be used in the file's own pages.
  struct Copy {
    std::mutex mutex;
    std::optional<Tensor> tensor;
  };

  std::vector<MappedFile> maps;
  std::vector<StoredTensor> stored;  // parallel to tensors; names as in the files
  std::deque<Copy> copies;           // parallel too; a deque because a mutex cannot move
  std::vector<CheckpointTensor> tensors;
  std::map<std::string, size_t, std::less<>> index;
  std::vector<CheckpointFile> files;
  std::string format;
  std::vector<std::string> warnings;

  void Add(const std::string& path) {
    const MappedFile& map = maps.emplace_back(MappedFile::Open(path));
    RefuseImpostor(map.bytes(), path);
    files.push_back({path, map.bytes().size()});
    std::vector<StoredTensor> found;
    if (IsSafetensors(map)) {
      format = "safetensors";
      found = ParseSafetensors(map.bytes(), path).tensors;
    } else {
      TorchFile file = ParseTorchFile(map.bytes(), path);
      format = std::move(file.format);
      found = std::move(file.tensors);
    }
    map.CheckIntact();
    for (StoredTensor& tensor : found) Add(std::move(tensor));
  }

  void Add(StoredTensor tensor) {
    const std::string name = WithoutPrefix(tensor.name);
    const auto [known, is_new] = index.try_emplace(name, tensors.size());
    if (!is_new) {
      throw Error(ErrorKind::kInput,
                  fmt::format("tensor {} is in {} and again in {}", name,
                              files[tensors[known->second].file].path, files.back().path),
                  "remove the file that is left over from another checkpoint");
    }
    tensors.push_back({name, tensor.dtype, tensor.shape, files.size() - 1});
    stored.push_back(std::move(tensor));
    copies.emplace_back();
  }

  // An index must name for each tensor the shard that has it.
  void CompareWithIndex(const CheckpointFiles& plan) {
    for (const auto& [name, shard] : plan.shard_of) {
      const auto found = index.find(WithoutPrefix(name));
      if (found == index.end() || tensors[found->second].file != shard) {
        throw Error(ErrorKind::kInput,
                    fmt::format("{}: tensor {} is not in {}, where the index says it is",
                                plan.index, name, files[shard].path),
                    "the index and the shards belong to different checkpoints; get both again");
      }
    }
    int64_t bytes = 0;
    for (const StoredTensor& tensor : stored) {
      bytes += tensor.shape.elements() * static_cast<int64_t>(ByteSize(tensor.dtype));
    }
    if (tensors.size() != plan.shard_of.size()) {
      warnings.push_back(fmt::format("{}: the shards hold {} tensors that the index does not name",
                                     plan.index, tensors.size() - plan.shard_of.size()));
    } else if (plan.claimed_bytes && *plan.claimed_bytes != bytes) {
      warnings.push_back(fmt::format("{}: total_size is {}, the tensors have {} bytes", plan.index,
                                     *plan.claimed_bytes, bytes));
    }
    format += fmt::format(", {} shards", files.size());
  }
};

Checkpoint Checkpoint::Open(const std::string& path) {
  const CheckpointFiles plan = FindCheckpointFiles(path);
  auto content = std::make_unique<Content>();
  content->maps.reserve(plan.paths.size());
  for (const std::string& file : plan.paths) content->Add(file);
  if (!plan.index.empty()) content->CompareWithIndex(plan);
  return Checkpoint(std::move(content));
}

Checkpoint::Checkpoint(std::unique_ptr<Content> content) : content_(std::move(content)) {}
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;
Checkpoint::~Checkpoint() = default;

const std::vector<CheckpointTensor>& Checkpoint::tensors() const { return content_->tensors; }
const std::vector<CheckpointFile>& Checkpoint::files() const { return content_->files; }
const std::string& Checkpoint::format() const { return content_->format; }
const std::vector<std::string>& Checkpoint::warnings() const { return content_->warnings; }

const CheckpointTensor* Checkpoint::Find(std::string_view name) const {
  const auto found = content_->index.find(name);
  return found == content_->index.end() ? nullptr : &content_->tensors[found->second];
}

size_t Checkpoint::IndexOf(std::string_view name) const {
  const auto found = content_->index.find(name);
  if (found != content_->index.end()) return found->second;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: tensor {} is missing", content_->files[0].path, name),
              "\"vernier inspect\" lists the tensors of a checkpoint");
}

TensorView Checkpoint::View(std::string_view name) const {
  const size_t at = IndexOf(name);
  const StoredTensor& stored = content_->stored[at];
  if (stored.IsDirect()) return {stored.bytes.data(), stored.dtype, stored.shape};
  Content::Copy& copy = content_->copies[at];
  const std::lock_guard lock(copy.mutex);
  if (!copy.tensor) copy.tensor = stored.Copy();
  return copy.tensor->view();
}

void Checkpoint::ReleasePages(std::string_view name) const {
  const size_t at = IndexOf(name);
  content_->maps[content_->tensors[at].file].ReleasePages(content_->stored[at].bytes);
  Content::Copy& copy = content_->copies[at];
  const std::lock_guard lock(copy.mutex);
  copy.tensor.reset();
}

void Checkpoint::CheckIntact() const {
  for (const MappedFile& map : content_->maps) map.CheckIntact();
}

}  // namespace vernier
