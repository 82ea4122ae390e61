#include "core/free_memory.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/key_value_file.h"

namespace vernier {
namespace {

std::optional<int64_t> BytesIn(const std::string& text) {
  int64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end == text.data()) return {};  // "max" where there is no limit
  return bytes;
}

// The second version's files, then the first's.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* statistics;
  const char* page_cache;  // bytes that are given up when they are needed
};
constexpr GroupFiles kGroups[] = {{"memory.max", "memory.current", "memory.stat", "inactive_file"},
                                  {"memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes",
                                   "memory/memory.stat", "total_inactive_file"}};

std::optional<int64_t> LeftInGroup(const std::string& folder) {
  for (const GroupFiles& files : kGroups) {
    const auto limit = BytesIn(ReadFirstLine(folder + files.limit));
    const auto usage = BytesIn(ReadFirstLine(folder + files.usage));
    if (!limit || !usage) continue;
    const auto statistics = ReadKeyValueFile(folder + files.statistics, ' ');
    const auto cache = statistics.find(files.page_cache);
    const int64_t given_up = cache == statistics.end() ? 0 : BytesIn(cache->second).value_or(0);
    return std::max<int64_t>(0, *limit - *usage + given_up);
  }
  return {};
}

}  // namespace

std::optional<int64_t> FreeMemory(const std::string& root) {
  const auto memory = ReadKeyValueFile(root + "/proc/meminfo");
  const std::optional<int64_t> in_group = LeftInGroup(root + "/sys/fs/cgroup/");
  if (!memory.contains("MemAvailable")) return in_group;
  const int64_t available = KibibytesOf(memory, "MemAvailable");
  return in_group ? std::min(available, *in_group) : available;
}

}  // namespace vernier
