#include "pipeline/dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "io/atomic_file.h"
#include "io/npy.h"
#include "io/system_error.h"
#include "passes/precision_rules.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kManifest = "manifest.json";

Json ShapeJson(const Shape& shape) { return Json::ArrayOf(shape.dims()); }

Json Entry(const std::string& name, const TensorView& tensor) {
  Json entry = Json::Object();
  entry["name"] = name;
  entry["file"] = name + ".npy";
  entry["shape"] = ShapeJson(tensor.shape);
  entry["dtype"] = Name(tensor.dtype);
  return entry;
}

}  // namespace

DumpWriter::DumpWriter(std::string folder, std::vector<std::string> filters)
    : folder_(std::move(folder)), filters_(std::move(filters)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) ThrowSystemError("make folder", folder_, error.value());
  // An old manifest would vouch for files that this dump is about to replace.
  std::filesystem::remove(folder_ + "/" + kManifest, error);
}

RunHooks DumpWriter::Hooks() {
  return {.wants = [this](std::string_view name,
                          std::span<const std::string> aliases) { return Wants(name, aliases); },
          .take = [this](const Tap& tap) { Take(tap); }};
}

void DumpWriter::Finish(Json facts, const NamedTensors& outputs,
                        std::span<const AbsentTap> absent) {
  // Also under the reference's own name where a module of another name computes it.
  for (const auto& [name, tensor] : outputs) AddUntapped(name, tensor.view(), "output");
  if (entries_.size() == 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--dump-filter {}: no value has such a name", fmt::join(filters_, " ")),
                "vernier run --print-graph lists the names");
  }
  facts["tensors"] = std::move(entries_);
  Json missing = Json::Array();
  for (const AbsentTap& tap : absent) {
    if (!Wants(tap.name, {})) continue;
    Json entry = Json::Object();
    entry["name"] = tap.name;
    entry["reason"] = tap.reason;
    missing.Append(std::move(entry));
  }
  facts["absent"] = std::move(missing);
  WriteFileAtomically(folder_ + "/" + kManifest, facts.Pretty());
}

void DumpWriter::AddInputs(const NamedTensors& inputs) {
  for (const auto& [name, tensor] : inputs) AddUntapped(name, tensor.view(), "input");
}

void DumpWriter::AddUntapped(const std::string& name, const TensorView& tensor, const char* op) {
  if (!Wants(name, {}) || std::ranges::count(names_, name) > 0) return;
  WriteNpy(folder_ + "/" + name + ".npy", tensor);
  Json entry = Entry(name, tensor);
  entry["aliases"] = Json::Array();
  entry["tap"] = "exact";
  entry["op"] = op;
  entries_.Append(std::move(entry));
  names_.push_back(name);
}

bool DumpWriter::Wants(std::string_view name, std::span<const std::string> aliases) const {
  if (filters_.empty()) {
    const auto published = [](std::string_view own) {
      return own.find('#') == std::string_view::npos;
    };
    return published(name) || std::ranges::any_of(aliases, published);
  }
  return std::ranges::any_of(filters_, [&](const std::string& filter) {
    return GlobMatches(filter, name) || std::ranges::any_of(aliases, [&](const std::string& alias) {
             return GlobMatches(filter, alias);
           });
  });
}

void DumpWriter::Take(const Tap& tap) {
  WriteNpy(folder_ + "/" + tap.name + ".npy", tap.tensor);
  Json entry = Entry(tap.name, tap.tensor);
  entry["aliases"] = Json::ArrayOf(tap.aliases);
  entry["tap"] = tap.kind;
  entry["op"] = tap.op;
  entry["device"] = tap.device;
  entry["kernel"] = tap.kernel;
  entries_.Append(std::move(entry));
  names_.push_back(tap.name);
}

}  // namespace vernier
