#include "verify/bundle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/cpu_features.h"
#include "core/float_types.h"
#include "core/sha256.h"
#include "passes/precision_rules.h"
#include "pipeline/model_hash.h"
#include "pipeline/model_run.h"
#include "runtime/context.h"
#include "verify/proof_inputs.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

constexpr const char* kKind = "evidence bundle";

Tensor AsBf16(const TensorView& tensor) {
  Tensor rounded(DType::kBF16, tensor.shape);
  std::ranges::transform(tensor.as<float>(), rounded.as<uint16_t>().begin(), ToBf16);
  return rounded;
}

bool IsWanted(const ValueInfo& value, const std::vector<std::string>& taps) {
  if (taps.empty()) return value.name.find('#') == std::string::npos;
  return std::ranges::any_of(taps, [&](const std::string& tap) {
    return GlobMatches(tap, value.name) ||
           std::ranges::any_of(value.aliases,
                               [&](const std::string& alias) { return GlobMatches(tap, alias); });
  });
}

// Writes what passes by.
class RecordSink final : public TapSink {
 public:
  RecordSink(const RecordRequest& request, TensorArchiveWriter& writer)
      : request_(request), writer_(writer) {}

  bool Wants(const ValueInfo& value) const override {
    // Inputs are written as they are, whatever is tapped.
    return value.kind != ValueKind::kInput && IsWanted(value, request_.taps);
  }

  void Take(const TapRecord& record, const TensorView& tensor) override {
    Json facts = Json::Object();
    facts["aliases"] = Json::ArrayOf(record.aliases);
    facts["tap"] = Name(record.kind);
    facts["op"] = record.op;
    facts["kernel"] = record.kernel.kernel;
    const bool round = request_.taps_dtype == DType::kBF16 && tensor.dtype == DType::kF32;
    writer_.Add(record.name, round ? AsBf16(tensor).view() : tensor, std::move(facts));
  }

 private:
  const RecordRequest& request_;
  TensorArchiveWriter& writer_;
};

Json Facts(const RecordRequest& request, const CompiledModel& model) {
  Json facts = Json::Object();
  facts["kind"] = kKind;
  facts["schema"] = 1;
  facts["version"] = Version();
  facts["model"] = request.options.model;
  facts["family"] = model.model().info.family;
  facts["checkpoint_sha256"] = ModelSha256(model.folder());
  facts["device"] = model.program().backend().name();
  facts["dtype"] = request.options.dtype;
  facts["threads"] = model.options().threads;
  facts["cpu"] = Cpu().model_name;
  facts["isa"] = request.options.isa.empty() ? Name(Cpu().best()) : request.options.isa;
  facts["taps_dtype"] = Name(request.taps_dtype);
  facts["random_head"] = model.model().info.random_head;
  facts["processor"] = Json::Parse(model.model().info.processor, "processor");
  Json images = Json::Array();
  for (const std::string& image : request.images) {
    Json entry = Json::Object();
    entry["file"] = image;
    entry["sha256"] = Sha256OfFile(image);
    images.Append(std::move(entry));
  }
  facts["images"] = std::move(images);
  return facts;
}

}  // namespace

RecordedBundle RecordBundle(const RecordRequest& request, const std::string& path) {
  const CompiledModel model(request.options);
  NamedTensors inputs = ReadProofInputs(model, request.images, request.headers, request.inputs);
  AddForcedIds(model,
               {.prompts = AnswerPrompts(model, request.headers),
                .max_new_tokens = request.max_new_tokens,
                .cancel = request.cancel},
               inputs);
  ModelRun run(model, model.programs(), inputs);
  TensorArchiveWriter writer(path);
  for (const auto& [name, tensor] : inputs) {
    Json facts = Json::Object();
    facts["op"] = "input";
    writer.Add(name, tensor.view(), std::move(facts));
  }
  const size_t before = writer.count();
  RecordSink sink(request, writer);
  Context context;
  RunParts(run, context, {.taps = &sink, .cancel = request.cancel});
  if (writer.count() == before) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--taps {}: no value has such a name", fmt::join(request.taps, " ")),
                "vernier run --print-graph text lists the names");
  }
  writer.Finish(Facts(request, model));
  return {.tensors = static_cast<int64_t>(writer.count()),
          .bytes = writer.bytes(),
          .warnings = model.model().info.warnings};
}

Bundle Bundle::Open(const std::string& path) {
  TensorArchive archive = TensorArchive::Open(path);
  if (archive.facts().GetString("kind", "") != kKind) {
    throw Error(ErrorKind::kInput, fmt::format("{}: this is no evidence bundle", path),
                "vernier record makes one");
  }
  return Bundle(std::move(archive));
}

bool Bundle::IsOne(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && TensorArchive::BeginsAsOne(path);
}

std::vector<std::string> Bundle::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : archive_.entries()) names.push_back(entry.name);
  return names;
}

Tensor Bundle::Read(std::string_view name) const {
  Tensor tensor = archive_.Read(*archive_.Find(name));
  return tensor.dtype() == DType::kBF16 ? ToFloat32(tensor.view()) : std::move(tensor);
}

ComparedSide Bundle::Side() const {
  const Json& facts = archive_.facts();
  ComparedSide side;
  side.kind = "bundle";
  side.source = archive_.path();
  side.tensors = static_cast<int64_t>(archive_.entries().size());
  side.model = facts.GetString("model");
  side.family = facts.GetString("family");
  side.checkpoint_sha256 = facts.GetString("checkpoint_sha256");
  side.device = facts.GetString("device");
  side.dtype = facts.GetString("dtype");
  side.processor = facts.GetObject("processor").Compact();
  side.version = facts.GetString("version");
  side.sha256 = Sha256OfFile(archive_.path());
  side.random_head = facts.GetBool("random_head");
  side.facts = {{"cpu", facts.GetString("cpu")},
                {"isa", facts.GetString("isa")},
                {"taps_dtype", facts.GetString("taps_dtype")}};
  return side;
}

void Bundle::CheckFits(const LoadedModel& model) const {
  const std::string family = archive_.facts().GetString("family");
  const bool any = std::ranges::any_of(model.graph.nodes(), [&](const Node& node) {
    return std::ranges::any_of(node.outputs,
                               [&](int value) { return Has(model.graph.value(value).name); });
  });
  if (family == model.info.family && any) return;
  throw Error(
      ErrorKind::kInput,
      fmt::format("{}: it was recorded from a model of family {}{}, the candidate is {}",
                  archive_.path(), family, any ? "" : " with other values", model.info.family),
      "give --model the checkpoint that the bundle was recorded from");
}

std::vector<std::string> Bundle::Notes(const std::string& model_sha256) const {
  std::vector<std::string> notes;
  if (archive_.facts().GetString("taps_dtype") == Name(DType::kBF16)) {
    notes.push_back(
        "the bundle's values were rounded to bf16: relative differences below 2^-9 mean nothing");
  }
  const std::string recorded = archive_.facts().GetString("checkpoint_sha256");
  if (recorded != model_sha256) {
    notes.push_back(fmt::format(
        "the bundle was recorded from another checkpoint: SHA-256 {:.12}…, the candidate's {:.12}…",
        recorded, model_sha256));
  }
  return notes;
}

}  // namespace vernier
