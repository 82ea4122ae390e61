#include "io/system_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "vernier/error.h"

namespace vernier {
namespace {

struct Diagnosis {
  int error_number;
  ErrorKind kind;
  const char* hint;
};

constexpr Diagnosis kDiagnoses[] = {
    {ENOENT, ErrorKind::kInput, "check the path; the folder it is in must exist"},
    {ENOTDIR, ErrorKind::kInput, "a part of the path that should be a folder is a file"},
    {EISDIR, ErrorKind::kInput, "this is a folder; name a file"},
    {EACCES, ErrorKind::kInput, "check the permissions of the file and of its folder"},
    {EPERM, ErrorKind::kInput, "check the permissions of the file and of its folder"},
    {EROFS, ErrorKind::kInput, "the file system is read-only; choose another folder"},
    {ENAMETOOLONG, ErrorKind::kInput, "choose a shorter name"},
    {ELOOP, ErrorKind::kInput, "a symbolic link in the path leads back to itself"},
    {ENOSPC, ErrorKind::kResource, "free space on this disk or choose another folder"},
    {EDQUOT, ErrorKind::kResource, "your disk quota is used up; choose another folder"},
    {EFBIG, ErrorKind::kResource, "the file size limit is reached; raise it (ulimit -f)"},
    {EMFILE, ErrorKind::kResource, "too many files are open; raise the limit (ulimit -n)"},
    {ENFILE, ErrorKind::kResource, "too many files are open on this machine"},
    {ENOMEM, ErrorKind::kResource, "close other programs or use a machine with more memory"},
    {EIO, ErrorKind::kDevice, "the disk reports a fault; see the kernel's log (dmesg)"},
};

}  // namespace

void ThrowSystemError(std::string_view action, const std::string& path, int error_number) {
  std::string message =
      fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error_number));
  for (const Diagnosis& diagnosis : kDiagnoses) {
    if (diagnosis.error_number == error_number) {
      throw Error(diagnosis.kind, std::move(message), diagnosis.hint);
    }
  }
  throw Error(ErrorKind::kInput, std::move(message));
}

}  // namespace vernier
