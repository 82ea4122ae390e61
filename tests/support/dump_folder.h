// Dumps for tests, written value by value.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/atomic_file.h"
#include "io/json.h"
#include "io/npy.h"

namespace vernier {

/// A folder in the form of docs/reference/dump.md.
class DumpFolder {
 public:
  explicit DumpFolder(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
  }

  const std::string& path() const { return path_; }
  /// More for the manifest: device, kernel, random_head.
  Json& facts() { return facts_; }

  void AddFile(const std::string& name, const std::vector<float>& values, const Shape& shape) {
    WriteNpy(path_ + "/" + name + ".npy", {values.data(), DType::kF32, shape});
  }

  void Add(const std::string& name, const std::vector<float>& values, const Shape& shape,
           const std::vector<std::string>& aliases = {}, const std::string& kernel = "") {
    AddFile(name, values, shape);
    Json entry = Json::Object();
    entry["name"] = name;
    entry["aliases"] = Json::ArrayOf(aliases);
    entry["file"] = name + ".npy";
    entry["shape"] = Json::ArrayOf(shape.dims());
    entry["dtype"] = "f32";
    entry["tap"] = "exact";
    entry["kernel"] = kernel;
    tensors_.Append(std::move(entry));
  }

  void Finish() {
    Json manifest = facts_;
    manifest["tensors"] = tensors_;
    WriteFileAtomically(path_ + "/manifest.json", manifest.Pretty());
  }

 private:
  std::string path_;
  Json facts_ = Json::Object();
  Json tensors_ = Json::Array();
};

}  // namespace vernier
