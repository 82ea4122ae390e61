// Results files: the JSON object of `vernier run --json`.
#include <fmt/format.h>

#include <algorithm>

#include "core/coco_mask.h"
#include "core/sha256.h"
#include "io/json.h"
#include "verify/tensor_source.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::string TextOr(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr && value->type() == Json::Type::kString ? value->AsString() : "";
}

Instance InstanceOf(const Json& row) {
  const std::vector<double> box = row.GetNumbers("bbox");
  const Json& mask = row.GetObject("segmentation");
  const std::vector<int64_t> size = mask.GetInts("size");
  if (box.size() != 4 || size.size() != 2) {
    throw Error(ErrorKind::kInput,
                row.Where("bbox") + ": an object needs a bbox of 4 numbers and a mask's size of 2");
  }
  const auto corner = [&](size_t i) { return static_cast<float>(box[i]); };
  return {.category = row.GetInt("category_id"),
          .score = static_cast<float>(row.GetNumber("score")),
          .box = {corner(0), corner(1), static_cast<float>(box[0] + box[2]),
                  static_cast<float>(box[1] + box[3])},
          .mask = ParseCompressedText(mask.GetString("counts"), size[0], size[1])};
}

SourceResult ResultOf(const Json& entry) {
  SourceResult result;
  for (const char* key : {"image", "prompt"}) {
    const std::string part = TextOr(entry, key);
    if (!part.empty()) result.item += (result.item.empty() ? "" : ": ") + part;
  }
  if (const Json* labels = entry.Find("labels"); labels != nullptr && labels->is_array()) {
    for (const Json& label : labels->items()) result.labels.push_back(label.GetString("label"));
  }
  if (const Json* instances = entry.Find("instances"); instances != nullptr) {
    result.instances.emplace();
    for (const Json& row : instances->items()) result.instances->push_back(InstanceOf(row));
  }
  if (entry.Has("text")) result.text = entry.GetString("text");
  return result;
}

/// The rows as one tensor; nothing where a result lacks its row or rows differ in length.
std::shared_ptr<Tensor> Stacked(std::span<const Json> entries, std::string_view key) {
  std::vector<float> values;
  int64_t width = -1;
  for (const Json& entry : entries) {
    if (!entry.Has(key)) return nullptr;
    const std::vector<double> row = entry.GetNumbers(key);
    if (width >= 0 && width != static_cast<int64_t>(row.size())) return nullptr;
    width = static_cast<int64_t>(row.size());
    for (const double value : row) values.push_back(static_cast<float>(value));
  }
  if (width <= 0) return nullptr;
  const TensorView view{values.data(), DType::kF32, {static_cast<int64_t>(entries.size()), width}};
  return std::make_shared<Tensor>(Tensor::CopyOf(view));
}

}  // namespace

void TensorSource::ReadResults(const std::string& path) {
  const Json file = Json::ParseFile(path);
  if (!file.is_object() || file.Find("results") == nullptr) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} is not a results file: it has no list `results`", path),
                "name what `vernier run --json` wrote");
  }
  side_.kind = "results";
  side_.sha256 = Sha256OfFile(path);
  side_.model = TextOr(file, "model");
  side_.family = TextOr(file, "family");
  side_.device = TextOr(file, "device");
  side_.dtype = TextOr(file, "dtype");
  side_.version = TextOr(file, "version");
  if (const Json* placement = file.Find("placement"); placement != nullptr) {
    for (const Json& node : placement->items()) {
      const std::string kernel = fmt::format("{}:{}:{}", TextOr(node, "provider"),
                                             TextOr(node, "isa"), TextOr(node, "kernel"));
      if (std::ranges::count(side_.kernels, kernel) == 0) side_.kernels.push_back(kernel);
    }
  }
  const std::span<const Json> entries = file.GetArray("results").items();
  if (entries.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{} holds no result", path),
                "run the model on at least one picture");
  }
  for (const Json& entry : entries) {
    results_.push_back(ResultOf(entry));
    side_.random_head |= entry.GetBool("random_head", false);
  }
  if (std::shared_ptr<Tensor> rows = Stacked(entries, "embedding"); rows != nullptr) {
    SourceTensor tensor;
    tensor.facts = {.name = "embedding", .file = path, .shape = rows->shape()};
    tensor.output = true;
    tensors_.push_back(std::move(tensor));
    values_.emplace("embedding", std::move(rows));
  }
}

}  // namespace vernier
