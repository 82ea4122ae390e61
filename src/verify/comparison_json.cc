#include "core/json_writer.h"
#include "verify/comparison.h"
#include "vernier/version.h"

namespace vernier {
namespace {

void WriteMetrics(const TensorMetrics& m, JsonWriter& json) {
  json.BeginObject()
      .Field("elements", m.elements)
      .Field("finite_pairs", m.finite_pairs)
      .Field("reference_nan", m.reference.nan)
      .Field("reference_inf", m.reference.inf)
      .Field("candidate_nan", m.candidate.nan)
      .Field("candidate_inf", m.candidate.inf)
      .Field("equal_infinities", m.equal_infinities)
      .Field("max_abs", m.max_abs)
      .Field("max_abs_at", m.max_abs_at)
      .Field("mean_abs", m.mean_abs)
      .Field("max_rel", m.max_rel)
      .Field("mean_rel", m.mean_rel)
      .Field("sum_rel", m.sum_rel)
      .Field("mre", m.mre)
      .Field("cosine", m.cosine)
      .Field("mse", m.mse)
      .Field("rmse", m.rmse)
      .Field("rel_euclidean", m.rel_euclidean)
      .Field("kl", m.kl)
      .Field("psnr_db", m.psnr_db)
      .Field("within", m.within)
      .Field("needed_atol", m.needed_atol)
      .Field("reference_mean", m.reference_mean)
      .Field("reference_std", m.reference_std)
      .Field("reference_norm", m.reference_norm)
      .Field("candidate_mean", m.candidate_mean)
      .Field("candidate_std", m.candidate_std)
      .Field("candidate_norm", m.candidate_norm)
      .EndObject();
}

void WriteRows(const RowMetrics& rows, JsonWriter& json) {
  json.BeginObject()
      .Field("rows", rows.rows)
      .Field("classes", rows.classes)
      .Field("top1", rows.top1)
      .Field("top5", rows.top5)
      .Field("tie_like_flips", rows.tie_like_flips)
      .Field("min_cosine", rows.min_cosine)
      .EndObject();
}

void WriteTensorSide(const ComparedTensor& tensor, JsonWriter& json) {
  json.BeginObject()
      .Field("name", tensor.name)
      .Field("file", tensor.file)
      .Key("shape")
      .Array(tensor.shape.dims())
      .Field("dtype", Name(tensor.dtype))
      .Field("tap", tensor.tap)
      .Field("kernel", tensor.kernel)
      .EndObject();
}

void WriteTolerance(const PairTolerance& tolerance, std::optional<bool> atol_grows,
                    JsonWriter& json) {
  json.BeginObject().Field("atol", tolerance.atol).Field("rtol", tolerance.rtol);
  if (atol_grows) json.Field("atol_grows", *atol_grows);
  json.EndObject();
}

void WriteTensor(const TensorComparison& tensor, JsonWriter& json) {
  json.BeginObject()
      .Field("name", tensor.name)
      .Key("aliases")
      .Array(tensor.aliases)
      .Field("op", tensor.op)
      .Field("order", tensor.order)
      .Field("preprocessing", tensor.preprocessing)
      .Field("output", tensor.output)
      .Key("reference");
  WriteTensorSide(tensor.reference, json);
  json.Key("candidate");
  WriteTensorSide(tensor.candidate, json);
  json.Field("paired_by", tensor.paired_by)
      .Field("transposed", tensor.transposed)
      .Key("notes")
      .Array(tensor.notes)
      .Field("not_compared", tensor.not_compared)
      .Key("tolerance");
  WriteTolerance(tensor.tolerance, {}, json);
  json.Key("accumulated");
  tensor.not_compared.empty() ? WriteMetrics(tensor.accumulated, json) : void(json.Null());
  json.Key("rows");
  tensor.rows ? WriteRows(*tensor.rows, json) : void(json.Null());
  json.Key("own");
  if (tensor.own) {
    json.BeginObject()
        .Field("kind", tensor.own->kind)
        .Field("since", tensor.own->since)
        .Field("inside", tensor.own->inside)
        .Key("metrics");
    WriteMetrics(tensor.own->metrics, json);
    json.EndObject();
  } else {
    json.Null();
  }
  json.EndObject();
}

void WriteText(const TextComparison& text, JsonWriter& json) {
  json.BeginObject()
      .Field("item", text.item)
      .Field("reference", text.reference)
      .Field("candidate", text.candidate)
      .Field("rouge_l", text.rouge_l)
      .Field("edit_distance", text.edit_distance)
      .EndObject();
}

void WriteUnpaired(const std::vector<UnpairedTensor>& tensors, JsonWriter& json) {
  json.BeginArray();
  for (const UnpairedTensor& tensor : tensors) {
    json.BeginObject()
        .Field("name", tensor.name)
        .Key("shape")
        .Array(tensor.shape.dims())
        .Field("reason", tensor.reason)
        .EndObject();
  }
  json.EndArray();
}

void WriteSide(const ComparedSide& side, JsonWriter& json) {
  json.BeginObject()
      .Field("kind", side.kind)
      .Field("source", side.source)
      .Field("tensors", side.tensors)
      .Field("model", side.model)
      .Field("family", side.family)
      .Field("checkpoint_sha256", side.checkpoint_sha256)
      .Field("device", side.device)
      .Field("dtype", side.dtype)
      .Key("kernels")
      .Array(side.kernels)
      .Field("processor", side.processor)
      .Field("version", side.version)
      .Field("sha256", side.sha256)
      .Field("random_head", side.random_head)
      .Field("random_weights", side.random_weights)
      .Field("random_inputs", side.random_inputs)
      .Key("facts")
      .BeginObject();
  for (const auto& [key, value] : side.facts) json.Field(key, value);
  json.EndObject().EndObject();
}

void WriteGate(const GateResult& gate, JsonWriter& json) {
  json.BeginObject()
      .Field("gate", gate.gate)
      .Field("metric", gate.metric)
      .Field("outcome", Name(gate.outcome))
      .Field("threshold", gate.threshold)
      .Field("value", gate.value)
      .Field("tensor", gate.tensor)
      .Field("tensors", gate.tensors)
      .Field("over", gate.over)
      .Key("interval");
  if (gate.interval) {
    json.Array(std::vector<double>{gate.interval->first, gate.interval->second});
  } else {
    json.Null();
  }
  json.Field("note", gate.note).EndObject();
}

void WriteVerdict(const Verdict& verdict, JsonWriter& json) {
  const Culprits& culprits = verdict.culprits;
  json.BeginObject()
      .Field("outcome", Name(verdict.kind))
      .Field("scope", verdict.scope)
      .Key("reasons")
      .Array(verdict.reasons)
      .Field("would_pass", verdict.would_pass)
      .Key("not_tested")
      .Array(verdict.not_tested)
      .Key("culprits")
      .BeginObject()
      .Field("first_over_gate", culprits.first_over_gate)
      .Field("most_own_error", culprits.most_own_error)
      .Field("amplified_at", culprits.amplified_at)
      .Field("evidence", culprits.evidence)
      .Key("sentences")
      .Array(culprits.sentences)
      .EndObject()
      .EndObject();
}

}  // namespace

std::string ComparisonJson(const Comparison& comparison) {
  JsonWriter json;
  json.BeginObject()
      .Field("kind", "comparison")
      .Field("schema", kComparisonSchema)
      .Field("version", Version())
      .Key("command")
      .Array(comparison.command)
      .Field("seconds", comparison.seconds)
      .Field("bytes_read", comparison.bytes_read)
      .Key("verdict");
  WriteVerdict(comparison.verdict, json);
  json.Key("gates").BeginArray();
  for (const GateResult& gate : comparison.gates) WriteGate(gate, json);
  json.EndArray().Key("reference");
  WriteSide(comparison.reference, json);
  json.Key("candidate");
  WriteSide(comparison.candidate, json);
  json.Key("tolerance");
  WriteTolerance(comparison.tolerance.pair, comparison.tolerance.atol_grows, json);
  json.Key("notes").Array(comparison.notes).Key("tensors").BeginArray();
  for (const TensorComparison& tensor : comparison.tensors) WriteTensor(tensor, json);
  json.EndArray().Key("texts").BeginArray();
  for (const TextComparison& text : comparison.texts) WriteText(text, json);
  json.EndArray().Key("only_reference");
  WriteUnpaired(comparison.only_reference, json);
  json.Key("only_candidate");
  WriteUnpaired(comparison.only_candidate, json);
  json.EndObject();
  return json.Take();
}

}  // namespace vernier
