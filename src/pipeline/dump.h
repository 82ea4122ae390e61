// A dump: a folder with one .npy per named value of a run and a manifest that says what each is.
// Values are written as they are computed; the manifest comes last, so that a folder with a
// manifest is complete. Used by one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"
#include "vernier/session.h"

namespace vernier {

class DumpWriter {
 public:
  /// Makes the folder. `filters` are globs over names and aliases; none stands for every module's
  /// output (values that no module has, whose names all hold a #, are left out).
  /// Throws Error{kInput} when the folder cannot be made.
  DumpWriter(std::string folder, std::vector<std::string> filters);

  /// To be given to a run; the writer must outlive it.
  RunHooks Hooks();

  /// Adds what was fed to a run and is not there yet: inputs that no node of the graph reads.
  void AddInputs(const NamedTensors& inputs);

  /// Adds what a run returned, each under its published name, then the manifest. `facts` (model,
  /// device, dtype, …) stand before the list. Throws Error{kUsage} when no value was written.
  void Finish(Json facts, const NamedTensors& outputs, std::span<const AbsentTap> absent);

  size_t count() const { return entries_.size(); }

 private:
  bool Wants(std::string_view name, std::span<const std::string> aliases) const;
  void Take(const Tap& tap);
  void AddUntapped(const std::string& name, const TensorView& tensor, const char* op);

  std::string folder_;
  std::vector<std::string> filters_;
  Json entries_ = Json::Array();
  std::vector<std::string> names_;  // of the files so far
};

}  // namespace vernier
