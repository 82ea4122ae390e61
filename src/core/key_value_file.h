// The "key: value" text files of /proc.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace vernier {

/// First value of each key, spaces around both removed; empty when the file cannot be read.
std::map<std::string, std::string> ReadKeyValueFile(const std::string& path, char separator = ':');

/// "123 kB" under `key` as bytes; 0 when absent.
int64_t KibibytesOf(const std::map<std::string, std::string>& values, const std::string& key);

/// First line of a file without spaces around it; empty when it cannot be read.
std::string ReadFirstLine(const std::string& path);

}  // namespace vernier
