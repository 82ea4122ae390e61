// Turns an errno of the file system into an Error that names the path and what to do.
#pragma once

#include <string>
#include <string_view>

namespace vernier {

/// Throws "cannot <action> <path>: <reason>". Full disks and exhausted limits are kResource, broken
/// disks kDevice, everything else (missing, not permitted, read-only) kInput.
[[noreturn]] void ThrowSystemError(std::string_view action, const std::string& path,
                                   int error_number);

}  // namespace vernier
