#include "bench/machine.h"

#include <filesystem>
#include <fstream>

#include "bench/memory_use.h"
#include "core/bytes_text.h"

namespace vernier {
namespace {

class FakeRoot {
 public:
  FakeRoot() { path_ = testing::TempDir() + "vernier_machine_test"; }
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path full = path_ + file;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Machine, CountsCoresOnceHoweverManyThreadsTheyHave) {
  FakeRoot root;
  for (int cpu = 0; cpu < 4; ++cpu) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    root.Write(folder + "core_id", std::to_string(cpu / 2) + "\n");
    root.Write(folder + "physical_package_id", "0\n");
  }
  const Machine machine = ReadMachine(root.path());
  EXPECT_EQ(machine.logical_cpus, 4);
  EXPECT_EQ(machine.cores, 2);
  EXPECT_EQ(machine.sockets, 1);
}

TEST(Machine, ReadsMemoryCachesAndLimits) {
  FakeRoot root;
  root.Write("/proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:   8000000 kB\n");
  root.Write("/sys/fs/cgroup/memory.max", "4294967296\n");
  root.Write("/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  const std::string cache = "/sys/devices/system/cpu/cpu0/cache/index0/";
  root.Write(cache + "level", "1\n");
  root.Write(cache + "type", "Data\n");
  root.Write(cache + "size", "48K\n");
  const Machine machine = ReadMachine(root.path());
  EXPECT_EQ(machine.memory_bytes, int64_t{16000000} * 1024);
  EXPECT_EQ(machine.available_memory_bytes, int64_t{8000000} * 1024);
  EXPECT_EQ(machine.memory_limit_bytes, int64_t{4} << 30);
  EXPECT_EQ(machine.l1_data_bytes, 48 << 10);
  EXPECT_EQ(machine.operating_system, "Debian GNU/Linux 12 (bookworm)");
}

TEST(Machine, IsStillDescribedWhereTheKernelTellsNothing) {
  const Machine machine = ReadMachine("/nonexistent");
  EXPECT_EQ(machine.memory_bytes, 0);
  EXPECT_EQ(machine.memory_limit_bytes, 0);
  EXPECT_EQ(machine.cores, 0);
  EXPECT_GE(machine.available_threads, 1);
  EXPECT_FALSE(OneLine(machine).empty());
}

TEST(MemoryUse, SplitsThisProcessByKind) {
  const MemoryUse use = ReadMemoryUse();
  EXPECT_GT(use.anonymous_bytes, 0);
  EXPECT_GT(use.file_backed_bytes, 0);
  EXPECT_GE(use.peak_rss_bytes, use.rss_bytes);
}

TEST(MemoryUse, IsZeroWhereTheKernelDoesNotSay) {
  EXPECT_EQ(ReadMemoryUse("/nonexistent").peak_rss_bytes, 0);
}

TEST(BytesText, KeepsThreeDigits) {
  EXPECT_EQ(BytesText(512), "512 B");
  EXPECT_EQ(BytesText(1536), "1.50 KiB");
  EXPECT_EQ(BytesText(1023 * 1024), "1.00 MiB");
  EXPECT_EQ(BytesText(int64_t{345556992}), "330 MiB");
  EXPECT_EQ(BytesText(int64_t{16} << 30), "16.0 GiB");
}

}  // namespace
}  // namespace vernier
