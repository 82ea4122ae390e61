#include "bench/libraries.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <filesystem>
#include <string_view>

namespace vernier {
namespace {

// Looked up by name, so that no header of these libraries is needed outside the folder that
// wraps it, and a build without one of them says so.
template <typename Function>
Function* Lookup(const char* symbol) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, symbol));
}

std::string OneDnnVersion() {
  // The first three fields of dnnl_version_t; the layout is fixed by oneDNN's C interface.
  struct Version {
    int major;
    int minor;
    int patch;
  };
  const auto function = Lookup<const Version*()>("dnnl_version");
  if (function == nullptr) return {};
  const Version* version = function();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

std::string PngVersion() {
  const auto function = Lookup<const char*(const void*)>("png_get_libpng_ver");
  return function == nullptr ? "" : function(nullptr);
}

std::string WebpVersion() {
  const auto function = Lookup<int()>("WebPGetDecoderVersion");
  if (function == nullptr) return {};
  const int packed = function();
  return fmt::format("{}.{}.{}", packed >> 16, packed >> 8 & 0xFF, packed & 0xFF);
}

// "LIBTIFF, Version 4.5.0\nCopyright …".
std::string TiffVersion() {
  const auto function = Lookup<const char*()>("TIFFGetVersion");
  if (function == nullptr) return {};
  const std::string_view text = function();
  constexpr std::string_view kBefore = "Version ";
  const size_t at = text.find(kBefore);
  if (at == std::string_view::npos) return "unknown";
  const size_t begin = at + kBefore.size();
  return std::string(text.substr(begin, text.find('\n', begin) - begin));
}

std::string ZlibVersion() {
  const auto function = Lookup<const char*()>("zlibVersion");
  return function == nullptr ? "" : function();
}

struct FileSearch {
  std::string_view stem;
  std::string found;
};

int MatchFile(dl_phdr_info* info, size_t, void* search_pointer) {
  auto& search = *static_cast<FileSearch*>(search_pointer);
  const std::filesystem::path path = info->dlpi_name;
  if (!path.filename().string().starts_with(search.stem)) return 0;
  search.found = path.string();
  return 1;
}

// For libraries that have no version function: the full number of the file behind the link.
std::string VersionOfFile(std::string_view stem) {
  FileSearch search{stem, {}};
  dl_iterate_phdr(MatchFile, &search);
  if (search.found.empty()) return {};
  std::error_code error;
  const auto real = std::filesystem::canonical(search.found, error);
  const std::string name = (error ? std::filesystem::path(search.found) : real).filename().string();
  return fmt::format("file {}", name);
}

}  // namespace

std::vector<LibraryVersion> LoadedLibraries() {
  return {
      {"oneDNN", OneDnnVersion(), "matrix kernels"},
      {"libjpeg-turbo", VersionOfFile("libjpeg.so"), "JPEG"},
      {"libpng", PngVersion(), "PNG"},
      {"libwebp", WebpVersion(), "WebP"},
      {"libtiff", TiffVersion(), "TIFF"},
      {"zlib", ZlibVersion(), "PNG, zip archives"},
      {"OpenMP", VersionOfFile("libgomp.so"), "threads"},
      {"fmt", VersionOfFile("libfmt.so"), "text"},
  };
}

}  // namespace vernier
