#include "io/impostor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kLfsBegin = "version https://git-lfs";
constexpr size_t kLookedAt = 1024;  // an LFS pointer has about 130 bytes

// " (345580504 bytes)" from the pointer's line "size 345580504", or nothing.
std::string LfsSize(std::string_view pointer) {
  constexpr std::string_view kSize = "\nsize ";
  const size_t at = pointer.find(kSize);
  if (at == pointer.npos) return "";
  std::string_view digits = pointer.substr(at + kSize.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return digits.empty() ? "" : fmt::format(" ({} bytes)", digits);
}

bool LooksLikePage(std::string_view text) {
  std::string begin(text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()), 16));
  std::ranges::transform(begin, begin.begin(), [](unsigned char c) { return std::tolower(c); });
  return begin.starts_with("<!doctype") || begin.starts_with("<html") || begin.starts_with("<?xml");
}

}  // namespace

void RefuseImpostor(std::span<const uint8_t> file, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()),
                              std::min(file.size(), kLookedAt));
  if (text.empty()) {
    throw Error(ErrorKind::kInput, path + ": the file is empty", "download it again");
  }
  if (text.starts_with(kLfsBegin)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: a Git LFS pointer, not the weights{}", path, LfsSize(text)),
                "run \"git lfs pull\" in its folder, or download the file itself");
  }
  if (LooksLikePage(text)) {
    throw Error(ErrorKind::kInput, path + ": a web page, not weights",
                "the download met a login or error page; log in and download the file again");
  }
}

}  // namespace vernier
