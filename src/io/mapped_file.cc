#include "io/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/bus_guard.h"
#include "io/system_error.h"
#include "vernier/error.h"

namespace vernier {
namespace {

const char* KindOfFile(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISSOCK(mode)) return "a socket";
  return "not a regular file";
}

}  // namespace

MappedFile MappedFile::Open(const std::string& path) {
  MappedFile file;
  file.path_ = path;
  // O_NONBLOCK: opening a named pipe returns at once and the check below refuses it.
  file.descriptor_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file.descriptor_ < 0) ThrowSystemError("open", path, errno);
  struct stat status = {};
  if (fstat(file.descriptor_, &status) != 0) ThrowSystemError("read", path, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kInput,
                fmt::format("cannot read {}: it is {}", path, KindOfFile(status.st_mode)),
                "name a regular file");
  }
  if (status.st_size == 0) return file;  // an empty map is an error to mmap
  const auto size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor_, 0);
  if (data == MAP_FAILED) ThrowSystemError("map", path, errno);
  file.data_ = static_cast<const uint8_t*>(data);
  file.size_ = size;
  file.guard_ = GuardMap(data, size);
  if (file.guard_ < 0) {
    throw Error(ErrorKind::kResource, fmt::format("cannot map {}: too many files are mapped", path),
                "close other models first");
  }
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      guard_(std::exchange(other.guard_, -1)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  Close();
  path_ = std::move(other.path_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  descriptor_ = std::exchange(other.descriptor_, -1);
  guard_ = std::exchange(other.guard_, -1);
  return *this;
}

MappedFile::~MappedFile() { Close(); }

void MappedFile::Close() {
  if (guard_ >= 0) ReleaseGuard(guard_);
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
  if (descriptor_ >= 0) close(descriptor_);
}

void MappedFile::ReleasePages(std::span<const uint8_t> range) const {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(range.data());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + range.size()) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void MappedFile::CheckIntact() const {
  struct stat status = {};
  const bool shorter = descriptor_ >= 0 && fstat(descriptor_, &status) == 0 &&
                       static_cast<size_t>(status.st_size) < size_;
  if (!shorter && (guard_ < 0 || !PagesWereLost(guard_))) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{} became shorter while it was read: {} bytes when opened, {} now",
                          path_, size_, status.st_size),
              "another program is writing this file; wait for it and start again");
}

}  // namespace vernier
