#include "io/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/file_size_signal.h"
#include "io/system_error.h"
#include "vernier/error.h"

namespace vernier {

AppendFile::AppendFile(std::string path) : path_(std::move(path)) {
  // Not blocking: opening a pipe without a reader would wait for one.
  descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
  if (descriptor_ < 0) ThrowSystemError("write", path_, errno);
  struct stat status = {};
  fstat(descriptor_, &status);
  if (!S_ISREG(status.st_mode)) {
    close(descriptor_);
    throw Error(ErrorKind::kInput, fmt::format("{}: is no regular file", path_),
                "results that can be resumed need a file of their own");
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    close(descriptor_);
    if (error_number != EWOULDBLOCK) ThrowSystemError("lock", path_, error_number);
    throw Error(ErrorKind::kInput, fmt::format("{}: another process is writing it", path_),
                "wait for that one to end, or name another file");
  }
  bytes_ = status.st_size;
}

AppendFile::~AppendFile() { close(descriptor_); }

std::string AppendFile::Content() const {
  std::string content(static_cast<size_t>(bytes_), '\0');
  for (size_t done = 0; done < content.size();) {
    const ssize_t read =
        pread(descriptor_, content.data() + done, content.size() - done, static_cast<off_t>(done));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) ThrowSystemError("read", path_, errno);
    if (read == 0) content.resize(done);  // somebody shortened it
    done += static_cast<size_t>(read);
  }
  return content;
}

void AppendFile::Truncate(int64_t bytes) {
  if (ftruncate(descriptor_, bytes) != 0) ThrowSystemError("shorten", path_, errno);
  bytes_ = bytes;
}

void AppendFile::Append(std::string_view lines) {
  const FileSizeSignalBlock block;
  int64_t end = bytes_;
  for (std::string_view rest = lines; !rest.empty();) {
    const ssize_t written = pwrite(descriptor_, rest.data(), rest.size(), end);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error_number = errno;
      Truncate(bytes_);
      ThrowSystemError("write", path_, error_number);
    }
    rest.remove_prefix(static_cast<size_t>(written));
    end += written;
  }
  if (fdatasync(descriptor_) != 0) ThrowSystemError("write", path_, errno);
  bytes_ = end;
}

}  // namespace vernier
