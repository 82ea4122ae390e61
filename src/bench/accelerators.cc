#include "bench/accelerators.h"

#include <algorithm>
#include <filesystem>

#include "core/key_value_file.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

bool IsNumbered(std::string_view name, std::string_view stem) {
  return name.starts_with(stem) && name.size() > stem.size() &&
         std::ranges::all_of(name.substr(stem.size()), [](char c) { return c >= '0' && c <= '9'; });
}

// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 …": the first word
// that begins with a digit and holds a dot.
std::string DriverVersion(const std::string& line) {
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find(' ', begin), line.size());
    const std::string word = line.substr(begin, end - begin);
    if (!word.empty() && word[0] >= '0' && word[0] <= '9' && word.find('.') != std::string::npos) {
      return word;
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace

Accelerators FindAccelerators(const std::string& root) {
  Accelerators found;
  const std::string nvidia = root + "/proc/driver/nvidia/";
  found.nvidia_driver = DriverVersion(ReadFirstLine(nvidia + "version"));
  for (const std::string& address : NamesIn(nvidia + "gpus")) {
    const std::string model =
        ReadKeyValueFile(nvidia + "gpus/" + address + "/information")["Model"];
    found.nvidia_gpus.push_back(model.empty() ? address : model);
  }
  for (const std::string& name : NamesIn(root + "/dev")) {
    if (IsNumbered(name, "nvidia")) found.nvidia_device_nodes = true;
    if (IsNumbered(name, "davinci")) ++found.ascend_devices;
  }
  std::error_code error;
  found.ascend_toolkit = fs::exists(root + "/usr/local/Ascend", error);
  return found;
}

}  // namespace vernier
