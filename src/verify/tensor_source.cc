#include "verify/tensor_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/sha256.h"
#include "io/json.h"
#include "io/npy.h"
#include "io/system_error.h"
#include "verify/ascend_names.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";

/// What processors make; compared before everything else.
constexpr std::string_view kProcessorTensors[] = {
    "pixel_values",   "flattened_patches", "input_ids",         "attention_mask",
    "image_grid_thw", "position_ids",      "pixel_position_ids"};
/// What models give, by the reference's names.
constexpr std::string_view kOutputTensors[] = {
    "last_hidden_state", "pooler_output", "logits",     "features",
    "embedding",         "generated_ids", "boxes",      "scores",
    "classes",           "labels",        "mask_logits"};

template <class List>
bool Contains(const List& list, std::string_view name) {
  return std::ranges::count(list, name) > 0;
}

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string Extension(const std::string& path) {
  std::string extension = fs::path(path).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

std::string Stem(const std::string& file) {
  return file.substr(0, file.size() - std::string_view(".npy").size());
}

/// A manifest may name files of its own folder only.
void CheckFileName(const std::string& file, const std::string& manifest) {
  const fs::path path(file);
  const bool climbs = std::ranges::count(path, fs::path("..")) > 0;
  if (file.empty() || path.is_absolute() || climbs) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: '{}' is not a file of this folder", manifest, file),
                "write the dump again");
  }
}

/// All .npy files under `folder`, as paths relative to it, in natural order.
std::vector<std::string> ArrayFiles(const std::string& folder) {
  std::vector<std::string> files;
  try {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".npy" && entry.is_regular_file()) {
        files.push_back(entry.path().lexically_relative(folder).string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    ThrowSystemError("list", folder, error.code().value());
  }
  std::ranges::sort(files, NaturalLess);
  return files;
}

ComparedSide SideOfManifest(const Json& manifest) {
  ComparedSide side;
  side.kind = "dump";
  for (const auto& [key, target] : {std::pair{"model", &side.model},
                                    {"family", &side.family},
                                    {"device", &side.device},
                                    {"dtype", &side.dtype},
                                    {"version", &side.version},
                                    {"checkpoint_sha256", &side.checkpoint_sha256}}) {
    const Json* value = manifest.Find(key);
    if (value != nullptr && value->type() == Json::Type::kString) *target = value->AsString();
  }
  side.random_head = manifest.GetBool("random_head", false);
  side.random_weights = manifest.GetBool("random_weights", false);
  side.random_inputs = manifest.GetBool("random_inputs", false);
  if (const Json* processor = manifest.Find("processor"); processor != nullptr) {
    side.processor = processor->Compact();
  }
  return side;
}

// Without what its file says.
SourceTensor ListedTensor(const Json& entry) {
  SourceTensor tensor;
  tensor.facts.name = entry.GetString("name");
  if (entry.Has("aliases")) tensor.aliases = entry.GetStrings("aliases");
  tensor.op = entry.GetString("op", "");
  tensor.facts.tap = entry.GetString("tap", "");
  tensor.facts.kernel = entry.GetString("kernel", "");
  return tensor;
}

std::vector<UnpairedTensor> AbsentOfManifest(const Json& manifest) {
  std::vector<UnpairedTensor> absent;
  const Json* listed = manifest.Find("absent");
  if (listed == nullptr || !listed->is_array()) return absent;
  for (const Json& entry : listed->items()) {
    if (!entry.is_object()) continue;
    absent.push_back(
        {.name = entry.GetString("name", ""), .reason = entry.GetString("reason", "")});
  }
  return absent;
}

}  // namespace

std::string FlattenedName(std::string name) {
  for (char& c : name) {
    if (c == '/' || c == '.' || c == ' ') c = '_';
  }
  return name;
}

bool NaturalLess(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const auto number = [&](const std::string& text, size_t& at) {
        while (at < text.size() && text[at] == '0') ++at;
        const size_t begin = at;
        while (at < text.size() && digit(text[at])) ++at;
        return std::string_view(text).substr(begin, at - begin);
      };
      const std::string_view left = number(a, i);
      const std::string_view right = number(b, j);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

LoadedTensor::LoadedTensor(Tensor values) : values_(std::move(values)), view_(values_.view()) {}

LoadedTensor::LoadedTensor(TensorView view, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)), view_(view) {}

LoadedTensor::LoadedTensor(MappedFile file, const NpyLayout& layout) {
  const bool as_stored = !layout.fortran_order && !layout.big_endian &&
                         layout.data_offset % ByteSize(layout.dtype) == 0;
  if (!as_stored) {
    values_ = ParseNpy(file.bytes(), file.path());
    file.CheckIntact();
    view_ = values_.view();
    return;
  }
  CheckNpySize(layout, file.bytes().size(), file.path());
  file_ = std::move(file);
  view_ = {file_->bytes().data() + layout.data_offset, layout.dtype, layout.shape};
}

TensorView LoadedTensor::Part(int64_t first, int64_t count) const {
  const auto* bytes = static_cast<const uint8_t*>(view_.data);
  return {bytes + static_cast<size_t>(first) * ByteSize(view_.dtype), view_.dtype, {count}};
}

void LoadedTensor::ReleasePart(int64_t first, int64_t count) const {
  if (!file_) return;
  const TensorView part = Part(first, count);
  file_->ReleasePages({static_cast<const uint8_t*>(part.data), part.bytes()});
}

void LoadedTensor::CheckIntact() const {
  if (file_) file_->CheckIntact();
}

TensorSource TensorSource::Open(const std::string& path) {
  TensorSource source;
  if (!Exists(path)) {
    throw Error(
        ErrorKind::kInput, fmt::format("cannot open {}: there is no such file or folder", path),
        "a side is a dump folder, a results file, or a setting such as device=cpu,dtype=f32");
  }
  if (IsFolder(path)) {
    if (Exists(path + "/" + kManifest)) {
      source.ReadManifest(path);
    } else {
      source.ReadArrays(path);
    }
  } else if (Extension(path) == ".npy") {
    source.ReadArray(path);
  } else if (Extension(path) == ".json") {
    source.ReadResults(path);
  } else {
    source.ReadWeightsFile(path);
  }
  source.Sort();
  source.side_.source = path;
  source.side_.tensors = static_cast<int64_t>(source.tensors_.size());
  return source;
}

void TensorSource::AddArray(SourceTensor tensor, const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  const NpyLayout layout = ParseNpyHeader(file.bytes(), path);
  CheckNpySize(layout, file.bytes().size(), path);
  tensor.facts.file = path;
  tensor.facts.shape = layout.shape;
  tensor.facts.dtype = layout.dtype;
  tensor.preprocessing |= Contains(kProcessorTensors, tensor.facts.name) || tensor.op == "input";
  tensor.output |= Contains(kOutputTensors, tensor.facts.name) || tensor.op == "output";
  for (const std::string& alias : tensor.aliases) {
    tensor.preprocessing |= Contains(kProcessorTensors, alias);
    tensor.output |= Contains(kOutputTensors, alias);
  }
  tensors_.push_back(std::move(tensor));
}

void TensorSource::ReadManifest(const std::string& folder) {
  const std::string path = folder + "/" + kManifest;
  const Json manifest = Json::ParseFile(path);
  side_ = SideOfManifest(manifest);
  side_.sha256 = Sha256OfFile(path);
  std::set<std::string> names;
  for (const Json& entry : manifest.GetArray("tensors").items()) {
    SourceTensor tensor = ListedTensor(entry);
    if (!names.insert(tensor.facts.name).second) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: '{}' is listed twice", path, tensor.facts.name),
                  "names must be unique; write the dump again");
    }
    tensor.order = static_cast<int64_t>(tensors_.size());
    if (!tensor.facts.kernel.empty() && !Contains(side_.kernels, tensor.facts.kernel)) {
      side_.kernels.push_back(tensor.facts.kernel);
    }
    const std::string file = entry.GetString("file");
    CheckFileName(file, path);
    if (!Exists(folder + "/" + file)) {
      throw Error(ErrorKind::kInput, fmt::format("{} lists {}, which is not there", path, file),
                  "a part of the dump was lost; write it again");
    }
    AddArray(std::move(tensor), folder + "/" + file);
    const Shape listed{std::span<const int64_t>(entry.GetInts("shape"))};
    const ComparedTensor& found = tensors_.back().facts;
    if (listed != found.shape) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: '{}' has shape {} here and {} in its file", path, found.name,
                              listed.ToString(), found.shape.ToString()),
                  "the files are of another dump; write it again");
    }
  }
  if (tensors_.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{} lists no tensor", path), "write the dump again");
  }
  absent_ = AbsentOfManifest(manifest);
}

void TensorSource::ReadArrays(const std::string& folder) {
  const std::vector<std::string> files = ArrayFiles(folder);
  if (files.empty()) {
    throw Error(
        ErrorKind::kInput, fmt::format("{} has neither {} nor .npy files", folder, kManifest),
        "a dump is what `vernier run --dump DIR` writes, or a folder of .npy files by name; "
        "without a manifest, the run that wrote it did not end");
  }
  flattens_names_ = std::ranges::all_of(files, [](const std::string& file) {
    return ParseAscendName(fs::path(file).filename().string()).has_value();
  });
  side_.kind = flattens_names_ ? "msaccucmp folder" : "npy folder";
  std::map<std::string, std::string> file_of_name;
  for (const std::string& file : files) {
    SourceTensor tensor;
    if (flattens_names_) {
      const AscendName ascend = *ParseAscendName(fs::path(file).filename().string());
      tensor.facts.name = ascend.TensorIndex();
      if (!ascend.input && ascend.index == 0) tensor.aliases.push_back(ascend.op_name);
      tensor.op = ascend.op_type;
      tensor.order = ascend.order;
    } else {
      tensor.facts.name = Stem(file);
      const std::string last = Stem(fs::path(file).filename().string());
      if (last != tensor.facts.name) tensor.aliases.push_back(last);
    }
    const auto [other, first] = file_of_name.emplace(tensor.facts.name, file);
    if (!first) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: {} and {} both hold '{}'", folder, other->second, file,
                              tensor.facts.name),
                  "keep the files of one run");
    }
    AddArray(std::move(tensor), folder + "/" + file);
  }
  if (!flattens_names_) {
    notes_.push_back(
        fmt::format("{} has no {}: read as a folder of arrays by name. If vernier wrote it, its "
                    "run did not end",
                    folder, kManifest));
  }
}

void TensorSource::ReadArray(const std::string& path) {
  side_.kind = "results";
  side_.sha256 = Sha256OfFile(path);
  SourceTensor tensor;
  tensor.facts.name = fs::path(path).stem().string();
  tensor.output = true;
  AddArray(std::move(tensor), path);
}

void TensorSource::ReadWeightsFile(const std::string& path) {
  side_.kind = "results";
  side_.sha256 = Sha256OfFile(path);
  checkpoint_ = std::make_shared<const Checkpoint>(Checkpoint::Open(path));
  for (const CheckpointTensor& stored : checkpoint_->tensors()) {
    SourceTensor tensor;
    tensor.facts = {
        .name = stored.name, .file = path, .shape = stored.shape, .dtype = stored.dtype};
    tensor.output = Contains(kOutputTensors, stored.name);
    tensor.preprocessing = Contains(kProcessorTensors, stored.name);
    tensors_.push_back(std::move(tensor));
  }
  if (tensors_.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{} holds no tensor", path), "name another file");
  }
}

void TensorSource::Sort() {
  // Sides that do not say their order are read in the order of their names.
  const bool ordered =
      std::ranges::all_of(tensors_, [](const SourceTensor& tensor) { return tensor.order >= 0; });
  std::ranges::stable_sort(tensors_, [ordered](const SourceTensor& a, const SourceTensor& b) {
    return ordered ? a.order < b.order : NaturalLess(a.facts.name, b.facts.name);
  });
}

LoadedTensor TensorSource::Load(size_t index) const {
  const ComparedTensor& facts = tensors_.at(index).facts;
  if (checkpoint_ != nullptr) return {checkpoint_->View(facts.name), checkpoint_};
  if (const auto held = values_.find(facts.name); held != values_.end()) {
    return {held->second->view(), held->second};
  }
  MappedFile file = MappedFile::Open(facts.file);
  const NpyLayout layout = ParseNpyHeader(file.bytes(), facts.file);
  return {std::move(file), layout};
}

}  // namespace vernier
