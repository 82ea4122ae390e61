#include "io/image_paths.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

bool HasImageEnding(const fs::path& path, FilesToFind find) {
  constexpr std::string_view kEndings[] = {".jpg",  ".jpeg", ".png", ".webp", ".tif",
                                           ".tiff", ".bmp",  ".ppm", ".pgm",  ".pnm"};
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".pdf") return find == FilesToFind::kPicturesAndPdf;
  return std::ranges::count(kEndings, ending) > 0;
}

// A shell expands patterns itself unless they are quoted, as in a service file.
std::vector<std::string> Matches(const std::string& pattern) {
  glob_t found = {};
  const int status = glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<std::string> files;
  for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  if (files.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("no file matches {}", pattern));
  }
  return files;
}

}  // namespace

std::vector<std::string> PicturesBelow(const std::string& folder, FilesToFind find) {
  std::vector<std::string> files;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, options, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file(error) && HasImageEnding(entry->path(), find)) {
      files.push_back(entry->path().string());
    }
  }
  std::ranges::sort(files);
  if (files.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("folder {} holds no pictures", folder),
                "pictures end in .jpg, .png, .webp, .tif, .bmp or .ppm");
  }
  return files;
}

std::vector<std::string> ExpandImagePaths(const std::vector<std::string>& names, FilesToFind find) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    std::error_code error;
    std::vector<std::string> expanded = {name};
    if (fs::is_directory(name, error)) {
      expanded = PicturesBelow(name, find);
    } else if (!fs::exists(name, error) && name.find_first_of("*?[") != std::string::npos) {
      expanded = Matches(name);
    }
    files.insert(files.end(), expanded.begin(), expanded.end());
  }
  return files;
}

}  // namespace vernier
