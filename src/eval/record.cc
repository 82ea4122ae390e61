#include "eval/record.h"

#include "core/json_writer.h"
#include "io/json.h"

namespace vernier {
namespace {

std::vector<float> Floats(const Json& json, std::string_view key) {
  if (!json.Has(key)) return {};
  std::vector<float> values;
  for (double value : json.GetNumbers(key)) values.push_back(static_cast<float>(value));
  return values;
}

std::vector<std::string> Texts(const Json& json, std::string_view key) {
  return json.Has(key) ? json.GetStrings(key) : std::vector<std::string>();
}

}  // namespace

std::string ToLine(const Record& record) {
  JsonWriter json(JsonWriter::Layout::kOneLine);
  json.BeginObject().Field("id", record.id).Field("sample", record.fingerprint);
  json.Key("expected").Array(record.expected);
  if (!record.warnings.empty()) json.Key("warnings").Array(record.warnings);
  if (record.failed()) {
    json.Field("error", record.error).EndObject();
    return json.Take() + "\n";
  }
  json.Field("answer", record.answer);
  if (!record.ranked.empty()) json.Key("ranked").Array(record.ranked);
  if (!record.embedding.empty()) json.Key("embedding").Array(record.embedding);
  if (!record.partner_embedding.empty()) {
    json.Key("partner_embedding").Array(record.partner_embedding);
  }
  if (record.tokens > 0) json.Field("tokens", record.tokens);
  json.Key("figures").BeginObject();
  for (const auto& [name, value] : record.figures) json.Field(name, value);
  json.EndObject().EndObject();
  return json.Take() + "\n";
}

Record ParseRecord(std::string_view line, const std::string& place) {
  const Json json = Json::Parse(line, place);
  return {.id = json.GetString("id"),
          .fingerprint = json.GetString("sample"),
          .expected = json.GetStrings("expected"),
          .error = json.GetString("error", ""),
          .warnings = Texts(json, "warnings"),
          .answer = json.GetString("answer", ""),
          .ranked = Texts(json, "ranked"),
          .embedding = Floats(json, "embedding"),
          .partner_embedding = Floats(json, "partner_embedding"),
          .tokens = json.GetInt("tokens", 0)};
}

}  // namespace vernier
