#include "pipeline/model_hash.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include "core/interrupt.h"
#include "core/sha256.h"
#include "io/checkpoint_files.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

bool ShapesBehaviour(const fs::path& file) {
  constexpr std::string_view kEndings[] = {".json", ".model", ".txt", ".jinja"};
  return std::ranges::count(kEndings, file.extension().string()) > 0;
}

}  // namespace

std::string HashOfModel(const std::string& path) {
  std::set<fs::path> files;
  for (const std::string& weights : FindCheckpointFiles(path).paths) files.insert(weights);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.is_regular_file(error) && ShapesBehaviour(entry.path())) files.insert(entry.path());
  }
  Sha256 hash;
  for (const fs::path& file : files) {
    ThrowIfInterrupted();
    hash.Update(file.filename().string());
    hash.Update(std::string_view("\0", 1));
    hash.Update(Sha256OfFile(file.string()));
  }
  return hash.Finish();
}

}  // namespace vernier
