#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "io/file_size_signal.h"
#include "io/system_error.h"

namespace vernier {
namespace {

// Linux moves at most 2 GiB - 4 KiB per call; smaller pieces also keep Ctrl-C responsive.
constexpr size_t kMaxWriteBytes = size_t{64} << 20;

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  struct stat status = {};
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) ThrowSystemError("write", path_, EISDIR);
  if (!exists || S_ISREG(status.st_mode)) {
    OpenTemporary();
    if (exists) fchmod(descriptor_, status.st_mode & 07777);
    return;
  }
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor_ < 0) ThrowSystemError("write", path_, errno);
}

void AtomicFile::OpenTemporary() {
  static std::atomic<unsigned> counter{0};
  // A name of its own length, because the target's may already be the longest allowed.
  do {
    temporary_ = fmt::format("{}/.vernier-{}-{}.partial", FolderOf(path_), getpid(), counter++);
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    const int error_number = errno;
    temporary_.clear();
    ThrowSystemError("write", path_, error_number);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::Write(std::span<const uint8_t> bytes) {
  const FileSizeSignalBlock block;
  while (!bytes.empty()) {
    const ssize_t written =
        write(descriptor_, bytes.data(), std::min(bytes.size(), kMaxWriteBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowSystemError("write", path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::Write(std::string_view text) {
  Write(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

void AtomicFile::Commit() {
  if (temporary_.empty()) {
    if (close(std::exchange(descriptor_, -1)) != 0) ThrowSystemError("write", path_, errno);
    return;
  }
  // Full disks may show only here: delayed allocation and network file systems.
  if (fsync(descriptor_) != 0) ThrowSystemError("write", path_, errno);
  if (close(std::exchange(descriptor_, -1)) != 0) ThrowSystemError("write", path_, errno);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) ThrowSystemError("write", path_, errno);
  temporary_.clear();
  // The new name itself must survive a power cut; file systems that cannot sync a folder are rare
  // and the content is safe there, so that failure is no error.
  const int folder = open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
}

void WriteFileAtomically(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.Write(content);
  file.Commit();
}

}  // namespace vernier
