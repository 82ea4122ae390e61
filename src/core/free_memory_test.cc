#include "core/free_memory.h"

#include <filesystem>
#include <fstream>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

class FakeSystem {
 public:
  void Write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::optional<int64_t> free() const { return FreeMemory(root_.path()); }

 private:
  ScratchFolder root_;
};

TEST(FreeMemory, IsWhatTheKernelSaysIsAvailable) {
  const FakeSystem system;
  EXPECT_FALSE(system.free());
  system.Write("/proc/meminfo", "MemTotal: 16000 kB\nMemAvailable: 8000 kB\n");
  EXPECT_EQ(system.free(), 8000 * 1024);
  system.Write("/sys/fs/cgroup/memory.max", "max\n");
  system.Write("/sys/fs/cgroup/memory.current", "5\n");
  EXPECT_EQ(system.free(), 8000 * 1024);
}

TEST(FreeMemory, EndsWhereTheControlGroupEnds) {
  const FakeSystem system;
  system.Write("/proc/meminfo", "MemAvailable: 8000 kB\n");
  system.Write("/sys/fs/cgroup/memory.max", "5000\n");
  system.Write("/sys/fs/cgroup/memory.current", "4500\n");
  EXPECT_EQ(system.free(), 500);
  system.Write("/sys/fs/cgroup/memory.stat", "anon 4000\ninactive_file 300\n");
  EXPECT_EQ(system.free(), 800);
}

TEST(FreeMemory, KnowsTheFirstVersionOfControlGroupsToo) {
  const FakeSystem system;
  system.Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n");
  system.Write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "2000\n");
  EXPECT_EQ(system.free(), 0);
}

}  // namespace
}  // namespace vernier
