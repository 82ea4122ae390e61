#include "verify/reference_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/sha256.h"
#include "vernier/error.h"

namespace vernier {
namespace fs = std::filesystem;

std::string DefaultCacheFolder() {
  if (const char* folder = std::getenv("VERNIER_CACHE"); folder != nullptr) return folder;
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.cache/vernier" : "";
}

ReferenceCache::ReferenceCache(CacheOptions options, const std::string& key)
    : options_(std::move(options)), key_(key) {
  if (options_.folder.empty()) return;
  const std::string folder = options_.folder + "/reference";
  path_ = folder + "/" + Sha256Of(key_).substr(0, 32) + ".vb";
  std::error_code error;
  if (fs::exists(path_, error)) {
    Attempt([&] {
      TensorArchive archive = TensorArchive::Open(path_);
      archive.CheckValues();
      // Two keys may have one hash only if somebody made the file.
      if (archive.facts().GetString("key") == key_) found_ = std::move(archive);
    });
    if (!found_) fs::remove(path_, error);
    fs::last_write_time(path_, fs::file_time_type::clock::now(), error);  // used lately
  }
  fs::create_directories(folder, error);
  Attempt([&] { writer_.emplace(path_); });
}

ReferenceCache::~ReferenceCache() = default;

// Whatever is wrong with the folder, the comparison goes on without it.
void ReferenceCache::Attempt(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (trouble_.empty()) trouble_ = error.message();
    writer_.reset();
  }
}

std::vector<std::string> ReferenceCache::Names() const {
  std::vector<std::string> names;
  if (!found_) return names;
  for (const auto& entry : found_->entries()) names.push_back(entry.name);
  return names;
}

bool ReferenceCache::Has(std::string_view name) const {
  return found_ && found_->Find(name) != nullptr;
}

Shape ReferenceCache::ShapeOf(std::string_view name) const { return found_->Find(name)->shape; }

Tensor ReferenceCache::Read(std::string_view name) const {
  return found_->Read(*found_->Find(name));
}

void ReferenceCache::Keep(const std::string& name, const TensorView& tensor) {
  if (!writer_ || writer_->Has(name)) return;
  if (writer_->bytes() + static_cast<int64_t>(tensor.bytes()) > options_.max_entry_bytes) return;
  Attempt([&] { writer_->Add(name, tensor); });
}

void ReferenceCache::Finish() {
  if (found_) {
    if (!writer_ || writer_->count() == 0) return writer_.reset();
    for (const auto& entry : found_->entries()) {
      Attempt([&] { Keep(entry.name, found_->Read(entry).view()); });
    }
  }
  if (!writer_) return;
  Attempt([&] {
    Json facts = Json::Object();
    facts["key"] = key_;
    writer_->Finish(std::move(facts));
  });
  writer_.reset();
  MakeRoom();
}

void ReferenceCache::MakeRoom() const {
  struct File {
    fs::path path;
    fs::file_time_type time;
    int64_t bytes;
  };
  std::vector<File> files;
  std::error_code error;
  int64_t total = 0;
  for (const auto& item : fs::directory_iterator(options_.folder + "/reference", error)) {
    if (item.path().extension() != ".vb") continue;
    const auto bytes = static_cast<int64_t>(item.file_size(error));
    files.push_back({item.path(), item.last_write_time(error), bytes});
    total += bytes;
  }
  std::ranges::sort(files, {}, &File::time);
  for (const File& file : files) {
    if (total <= options_.max_bytes) return;
    if (file.path == path_) continue;
    fs::remove(file.path, error);
    total -= file.bytes;
  }
}

}  // namespace vernier
