#include "bench/health.h"

#include <filesystem>
#include <fstream>

namespace vernier {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

HealthReport GoodMachine() {
  HealthReport report;
  report.machine.architecture = "x86_64";
  report.machine.isas = {"scalar", "avx2", "avx512", "avx512_bf16"};
  report.machine.logical_cpus = 8;
  report.machine.available_threads = 8;
  report.machine.memory_bytes = int64_t{32} << 30;
  report.machine.available_memory_bytes = int64_t{20} << 30;
  report.limits.open_files = 1024;
  return report;
}

TEST(Health, FindsNothingOnAGoodMachine) { EXPECT_THAT(Judge(GoodMachine()), IsEmpty()); }

TEST(Health, NamesAMissingInstructionSetFirst) {
  HealthReport report = GoodMachine();
  report.machine.isas = {"scalar"};
  const auto findings = Judge(report);
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].severity, Severity::kProblem);
  EXPECT_THAT(findings[0].what, HasSubstr("no AVX2"));
}

TEST(Health, GivesARemedyForEveryFinding) {
  HealthReport report = GoodMachine();
  report.machine.isas = {"scalar"};
  report.machine.available_threads = 2;
  report.machine.governor = "powersave";
  report.machine.memory_limit_bytes = int64_t{2} << 30;
  report.machine.available_memory_bytes = int64_t{1} << 30;
  report.limits = {.open_files = 64,
                   .address_bytes = int64_t{1} << 30,
                   .omp_num_threads = "1",
                   .omp_proc_bind = "true",
                   .preloaded = "libfoo.so"};
  report.accelerators = {.nvidia_gpus = {"A"},
                         .nvidia_driver = "",
                         .nvidia_device_nodes = true,
                         .ascend_devices = 1,
                         .ascend_toolkit = false};
  const auto findings = Judge(report);
  EXPECT_EQ(findings.size(), 14u);
  for (const Finding& finding : findings) EXPECT_NE(finding.remedy, "") << finding.what;
  EXPECT_THAT(findings, Contains(AllOf(Field(&Finding::what, HasSubstr("only 64 files")),
                                       Field(&Finding::remedy, "ulimit -n 1024"))));
}

TEST(Accelerators, AreReadFromTheKernelsOwnFiles) {
  const std::string root = testing::TempDir() + "vernier_accelerators_test";
  namespace fs = std::filesystem;
  fs::create_directories(root + "/proc/driver/nvidia/gpus/0000:01:00.0");
  fs::create_directories(root + "/dev");
  std::ofstream(root + "/proc/driver/nvidia/version")
      << "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15\n";
  std::ofstream(root + "/proc/driver/nvidia/gpus/0000:01:00.0/information")
      << "Model: \t\t NVIDIA L4\nIRQ: 1\n";
  for (const char* node : {"nvidia0", "nvidiactl", "davinci0", "davinci1", "davinci_manager"}) {
    std::ofstream(root + "/dev/" + node) << "";
  }
  const Accelerators found = FindAccelerators(root);
  fs::remove_all(root);
  EXPECT_EQ(found.nvidia_driver, "535.104.05");
  EXPECT_THAT(found.nvidia_gpus, testing::ElementsAre("NVIDIA L4"));
  EXPECT_TRUE(found.nvidia_device_nodes);
  EXPECT_EQ(found.ascend_devices, 2);
  EXPECT_FALSE(found.ascend_toolkit);
}

TEST(Libraries, NamesTheOpenMpThatIsLoaded) {
  EXPECT_THAT(LoadedLibraries(),
              Contains(AllOf(Field(&LibraryVersion::name, "OpenMP"),
                             Field(&LibraryVersion::version, HasSubstr(".so")))));
}

}  // namespace
}  // namespace vernier
