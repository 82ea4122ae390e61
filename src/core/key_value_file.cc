#include "core/key_value_file.h"

#include <charconv>
#include <fstream>
#include <string_view>

namespace vernier {
namespace {

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpaces) - first + 1));
}

}  // namespace

std::map<std::string, std::string> ReadKeyValueFile(const std::string& path, char separator) {
  std::map<std::string, std::string> values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    values.emplace(Trimmed(std::string_view(line).substr(0, at)),
                   Trimmed(std::string_view(line).substr(at + 1)));
  }
  return values;
}

int64_t KibibytesOf(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  if (found == values.end()) return 0;
  int64_t kibibytes = 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), kibibytes);
  return kibibytes * 1024;
}

std::string ReadFirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return Trimmed(line);
}

}  // namespace vernier
