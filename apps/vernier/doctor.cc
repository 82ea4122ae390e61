#include "doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/health.h"
#include "core/bytes_text.h"
#include "core/json_writer.h"
#include "json_output.h"
#include "vernier/version.h"

namespace vernier {
namespace {

struct DoctorOptions {
  std::string json;
};

std::vector<Flag> DoctorFlags(DoctorOptions& options) {
  return {{.name = "--json",
           .metavar = "FILE",
           .section = "Output",
           .help = "Write the report as JSON; - is standard output.",
           .target = &options.json,
           .completion = Completion::kFile,
           .writes = true}};
}

void Line(Terminal& terminal, std::string_view name, std::string_view value) {
  terminal.Print("  {:<15} {}\n", name, value.empty() ? "not known" : value);
}

std::string SizeOrUnknown(int64_t bytes) { return bytes > 0 ? BytesText(bytes) : ""; }

void PrintMachine(const Machine& machine, Terminal& terminal) {
  terminal.Write("Machine\n");
  Line(terminal, "CPU", machine.cpu_model);
  Line(terminal, "kernels for", fmt::format("{}", fmt::join(machine.isas, ", ")));
  Line(terminal, "cores",
       machine.cores > 0
           ? fmt::format("{} in {} socket{}, {} logical CPUs", machine.cores, machine.sockets,
                         machine.sockets == 1 ? "" : "s", machine.logical_cpus)
           : "");
  Line(terminal, "threads to use", fmt::format("{}", machine.available_threads));
  Line(terminal, "caches",
       machine.l2_bytes > 0 ? fmt::format("L1d {}, L2 {}, L3 {}", BytesText(machine.l1_data_bytes),
                                          BytesText(machine.l2_bytes), BytesText(machine.l3_bytes))
                            : "");
  Line(terminal, "memory",
       fmt::format("{}, {} available", BytesText(machine.memory_bytes),
                   BytesText(machine.available_memory_bytes)));
  if (machine.memory_limit_bytes > 0) {
    Line(terminal, "memory limit", SizeOrUnknown(machine.memory_limit_bytes));
  }
  Line(terminal, "system",
       fmt::format("{}, {}, {}", machine.operating_system, machine.kernel, machine.architecture));
}

void PrintDevices(const Accelerators& found, Terminal& terminal) {
  terminal.Write("\nDevices\n");
  Line(terminal, "cpu", "ready");
  Line(terminal, "NVIDIA GPU",
       found.nvidia_gpus.empty()
           ? "none"
           : fmt::format("{} (driver {})", fmt::join(found.nvidia_gpus, ", "),
                         found.nvidia_driver.empty() ? "not loaded" : found.nvidia_driver));
  Line(terminal, "Ascend NPU",
       found.ascend_devices == 0
           ? "none"
           : fmt::format("{} (CANN {})", found.ascend_devices,
                         found.ascend_toolkit ? "in /usr/local/Ascend" : "not found"));
}

void PrintLibraries(const std::vector<LibraryVersion>& libraries, Terminal& terminal) {
  terminal.Print("\nLibraries\n  {:<15} {}\n", "vernier", Version());
  for (const LibraryVersion& library : libraries) {
    terminal.Print("  {:<15} {:<24} {}\n", library.name,
                   library.version.empty() ? "not in this build" : library.version,
                   terminal.Toned(library.used_for, Tone::kFaint));
  }
}

void PrintFindings(const std::vector<Finding>& findings, Terminal& terminal) {
  terminal.Write("\nFindings\n");
  if (findings.empty()) terminal.Write("  nothing stands in the way\n");
  for (const Finding& finding : findings) {
    const bool problem = finding.severity == Severity::kProblem;
    terminal.Print("  {}: {}\n      remedy: {}\n",
                   terminal.Toned(Name(finding.severity), problem ? Tone::kBad : Tone::kWarning),
                   finding.what, finding.remedy);
  }
}

std::string ReportJson(const HealthReport& report, const std::vector<Finding>& findings) {
  JsonWriter json;
  json.BeginObject().Field("version", Version()).Key("machine");
  WriteJson(report.machine, json);
  json.Key("limits")
      .BeginObject()
      .Field("open_files", report.limits.open_files)
      .Field("address_bytes", report.limits.address_bytes)
      .EndObject();
  json.Key("accelerators")
      .BeginObject()
      .Key("nvidia_gpus")
      .Array(report.accelerators.nvidia_gpus)
      .Field("nvidia_driver", report.accelerators.nvidia_driver)
      .Field("ascend_devices", report.accelerators.ascend_devices)
      .Field("ascend_toolkit", report.accelerators.ascend_toolkit)
      .EndObject();
  json.Key("libraries").BeginObject();
  for (const LibraryVersion& library : report.libraries) json.Field(library.name, library.version);
  json.EndObject().Key("findings").BeginArray();
  for (const Finding& finding : findings) {
    json.BeginObject()
        .Field("severity", Name(finding.severity))
        .Field("what", finding.what)
        .Field("remedy", finding.remedy)
        .EndObject();
  }
  json.EndArray().EndObject();
  return json.Take();
}

Outcome RunDoctor(const DoctorOptions& options, Terminal& terminal) {
  const HealthReport report = ExamineMachine();
  const std::vector<Finding> findings = Judge(report);
  if (!options.json.empty()) {
    WriteJsonOutput(options.json, ReportJson(report, findings), terminal);
    if (options.json == "-") return {};
  }
  PrintMachine(report.machine, terminal);
  PrintDevices(report.accelerators, terminal);
  PrintLibraries(report.libraries, terminal);
  PrintFindings(findings, terminal);
  return {};
}

}  // namespace

Verb DoctorVerb() {
  return {
      .name = "doctor",
      .summary = "what this machine offers, what stands in the way, and the remedies",
      .description =
          "Shows the CPU with the instruction sets that vernier has kernels for, cores, memory, "
          "the libraries that are loaded, GPUs and NPUs that the kernel shows, and settings that "
          "cost speed or will fail, each with its remedy.",
      .examples = {{"vernier doctor", "the report for people"},
                   {"vernier doctor --json -", "the same for machines, on standard output"}},
      .start = Starter(DoctorFlags, RunDoctor)};
}

}  // namespace vernier
