#include "bench/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <charconv>
#include <set>
#include <utility>

#include "core/bytes_text.h"
#include "core/cpu_features.h"
#include "core/key_value_file.h"
#include "core/parallel.h"

namespace vernier {
namespace {

constexpr int kMostCpus = 4096;  // bound of the kernel's own CPU numbers

int64_t ToInteger(const std::string& text, int64_t absent) {
  int64_t value = absent;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void ReadTopology(const std::string& root, Machine& machine) {
  std::set<int64_t> sockets;
  std::set<std::pair<int64_t, int64_t>> cores;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    const std::string folder = fmt::format("{}/sys/devices/system/cpu/cpu{}/topology/", root, cpu);
    const int64_t core = ToInteger(ReadFirstLine(folder + "core_id"), -1);
    if (core < 0) break;
    const int64_t socket = ToInteger(ReadFirstLine(folder + "physical_package_id"), 0);
    sockets.insert(socket);
    cores.emplace(socket, core);
    ++machine.logical_cpus;
  }
  machine.sockets = static_cast<int>(sockets.size());
  machine.cores = static_cast<int>(cores.size());
}

// "32K", "8192K", "1M".
int64_t ParseCacheSize(const std::string& text) {
  const int64_t number = ToInteger(text, 0);
  if (text.ends_with('K')) return number << 10;
  if (text.ends_with('M')) return number << 20;
  return number;
}

void ReadCaches(const std::string& root, Machine& machine) {
  constexpr int kMostCaches = 8;
  for (int index = 0; index < kMostCaches; ++index) {
    const std::string folder =
        fmt::format("{}/sys/devices/system/cpu/cpu0/cache/index{}/", root, index);
    const std::string level = ReadFirstLine(folder + "level");
    if (level.empty()) break;
    const int64_t bytes = ParseCacheSize(ReadFirstLine(folder + "size"));
    if (level == "1" && ReadFirstLine(folder + "type") == "Data") machine.l1_data_bytes = bytes;
    if (level == "2") machine.l2_bytes = bytes;
    if (level == "3") machine.l3_bytes = bytes;
  }
}

std::string OperatingSystem(const std::string& root) {
  std::string name = ReadKeyValueFile(root + "/etc/os-release", '=')["PRETTY_NAME"];
  if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
  return name;
}

std::string CoresText(const Machine& machine) {
  if (machine.cores == 0) return fmt::format("{} threads available", machine.available_threads);
  return fmt::format("{} core{} ({} threads available)", machine.cores,
                     machine.cores == 1 ? "" : "s", machine.available_threads);
}

}  // namespace

Machine ReadMachine(const std::string& root) {
  Machine machine;
  utsname names = {};
  uname(&names);
  const auto memory = ReadKeyValueFile(root + "/proc/meminfo");
  machine.cpu_model = Cpu().model_name;
  for (Isa isa : Cpu().isas) machine.isas.emplace_back(Name(isa));
  machine.architecture = names.machine;
  machine.kernel = fmt::format("{} {}", names.sysname, names.release);
  machine.operating_system = OperatingSystem(root);
  machine.governor = ReadFirstLine(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  machine.available_threads = AvailableThreads();
  machine.memory_bytes = KibibytesOf(memory, "MemTotal");
  machine.available_memory_bytes = KibibytesOf(memory, "MemAvailable");
  // "max" where there is no limit.
  machine.memory_limit_bytes = ToInteger(ReadFirstLine(root + "/sys/fs/cgroup/memory.max"), 0);
  ReadTopology(root, machine);
  ReadCaches(root, machine);
  return machine;
}

std::string OneLine(const Machine& machine) {
  return fmt::format("{}, {}, {} memory, {}", machine.cpu_model, CoresText(machine),
                     BytesText(machine.memory_bytes), machine.kernel);
}

void WriteJson(const Machine& machine, JsonWriter& json) {
  json.BeginObject()
      .Field("cpu_model", machine.cpu_model)
      .Field("architecture", machine.architecture)
      .Field("operating_system", machine.operating_system)
      .Field("kernel", machine.kernel)
      .Field("governor", machine.governor)
      .Key("isas")
      .Array(machine.isas)
      .Field("sockets", machine.sockets)
      .Field("cores", machine.cores)
      .Field("logical_cpus", machine.logical_cpus)
      .Field("available_threads", machine.available_threads)
      .Field("memory_bytes", machine.memory_bytes)
      .Field("available_memory_bytes", machine.available_memory_bytes)
      .Field("memory_limit_bytes", machine.memory_limit_bytes)
      .Field("l1_data_bytes", machine.l1_data_bytes)
      .Field("l2_bytes", machine.l2_bytes)
      .Field("l3_bytes", machine.l3_bytes)
      .EndObject();
}

}  // namespace vernier
