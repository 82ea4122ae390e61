#include "run_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/json_writer.h"
#include "models/blendmask/class_names.h"
#include "pipeline/instances_json.h"
#include "vernier/version.h"

namespace vernier {
namespace {

constexpr size_t kShownValues = 4;
constexpr size_t kNameWidth = 24;

std::string LabelsText(const std::vector<LabelScore>& labels) {
  std::vector<std::string> parts;
  for (const LabelScore& label : labels) {
    parts.push_back(fmt::format("{} {:.2f} %", label.label, label.probability * 100));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string EmbeddingText(const PictureResult& result, const std::string& kind) {
  double squares = 0;
  for (float value : result.embedding) squares += static_cast<double>(value) * value;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(kShownValues, result.embedding.size()); ++i) {
    shown.push_back(fmt::format("{:.4f}", result.embedding[i]));
  }
  return fmt::format("embedding ({}) of {} values, length {:.4f}: [{}, …]", kind,
                     result.embedding.size(), std::sqrt(squares), fmt::join(shown, ", "));
}

std::string ShortName(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  if (name.empty()) name = path;
  return Printable(name.substr(0, kNameWidth));
}

void WritePicture(const PictureInfo& picture, JsonWriter& json) {
  json.BeginObject()
      .Field("file", picture.file)
      .Field("page", picture.page + 1)
      .Field("mode", picture.mode)
      .Field("height", picture.height)
      .Field("width", picture.width)
      .Field("exif_orientation", picture.exif_orientation)
      .Key("steps")
      .Array(picture.steps)
      .Key("warnings")
      .Array(picture.warnings)
      .EndObject();
}

void WriteAnswer(const GeneratedText& answer, const RunReport& report, JsonWriter& json) {
  json.Field("text", answer.text)
      .Key("token_ids")
      .Array(answer.token_ids)
      .Field("prompt_tokens", answer.prompt_tokens)
      .Field("finish_reason", Name(answer.finish_reason));
  if (!answer.log_probs.empty()) json.Key("log_probs").Array(answer.log_probs);
  if (report.beams) json.Field("score", answer.score);
}

void WriteResult(const PictureResult& result, const RunReport& report, JsonWriter& json) {
  json.BeginObject().Field("image", result.image);
  if (!result.question.empty()) json.Field("prompt", result.question);
  if (result.pictures.size() == 1) {
    json.Key("picture");
    WritePicture(result.pictures[0], json);
  } else if (!result.pictures.empty()) {
    json.Key("pictures").BeginArray();
    for (const PictureInfo& picture : result.pictures) WritePicture(picture, json);
    json.EndArray();
  }
  if (result.instances) {
    json.Field("height", result.instances->height).Field("width", result.instances->width);
    json.Key("instances").BeginArray();
    const auto image_id = static_cast<int64_t>(&result - report.results.data());
    WriteInstances(
        *result.instances,
        {.image_id = image_id, .coco_classes = report.session.info().classes == kCocoClasses},
        json);
    json.EndArray().EndObject();
    return;
  }
  if (result.answer) {
    WriteAnswer(*result.answer, report, json);
    json.EndObject();
    return;
  }
  json.Key("features_shape").Array(result.features.dims());
  if (!result.labels.empty()) {
    json.Key("labels").BeginArray();
    for (const LabelScore& label : result.labels) {
      json.BeginObject()
          .Field("label", label.label)
          .Field("index", label.index)
          .Field("probability", label.probability)
          .EndObject();
    }
    json.EndArray().Field("random_head", report.session.info().random_head);
  }
  if (!result.embedding.empty()) json.Key("embedding").Array(result.embedding);
  json.EndObject();
}

void WritePlacement(const std::vector<PlacedNode>& placement, JsonWriter& json) {
  json.Key("placement").BeginArray();
  for (const PlacedNode& node : placement) {
    json.BeginObject()
        .Field("name", node.name)
        .Field("part", node.part)
        .Field("op", node.op)
        .Field("device", node.device)
        .Field("provider", node.provider)
        .Field("isa", node.isa)
        .Field("kernel", node.kernel)
        .Field("dtype", node.dtype)
        .EndObject();
  }
  json.EndArray();
}

void WriteSimilarity(const RunReport& report, JsonWriter& json) {
  json.Key("similarity").BeginArray();
  for (const PictureResult& row : report.results) {
    std::vector<double> cosines;
    for (const PictureResult& column : report.results) {
      cosines.push_back(Cosine(row.embedding, column.embedding));
    }
    json.Array(cosines);
  }
  json.EndArray();
}

}  // namespace

std::string ShownText(std::string_view text) {
  std::string shown;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of("\n\t", begin), text.size());
    shown += Printable(text.substr(begin, end - begin), text.size());
    if (end < text.size()) shown += text[end];
    begin = end + 1;
  }
  return shown;
}

std::string HeadingOf(const PictureResult& result, const RunReport& report) {
  if (report.one_picture) return "";
  const bool asked = report.several_questions && !result.question.empty();
  return asked ? fmt::format("{}: {}\n", Printable(result.image), ShownText(result.question))
               : fmt::format("{}:\n", Printable(result.image));
}

void PrintResult(const PictureResult& result, const RunReport& report, Terminal& terminal) {
  if (result.answer && report.session.info().chats) {
    terminal.Write(HeadingOf(result, report) + ShownText(result.answer->text) + "\n");
    terminal.Flush();
    return;
  }
  std::string text;
  if (result.answer) {
    text = ShownText(result.answer->text);
  } else if (!result.labels.empty()) {
    text = LabelsText(result.labels);
    if (report.session.info().random_head) text += "  (made-up head: means nothing)";
  } else if (!result.embedding.empty()) {
    text = EmbeddingText(result, report.options.embedding);
  } else {
    text = fmt::format("features {}", result.features.ToString());
  }
  const bool alone = result.answer && report.one_picture;
  terminal.Write(alone ? text + "\n" : fmt::format("{}: {}\n", Printable(result.image), text));
  terminal.Flush();
}

void PrintSimilarity(const RunReport& report, Terminal& terminal) {
  terminal.Print("\ncosine between embeddings ({})\n{:<{}}", report.options.embedding, "",
                 kNameWidth);
  for (size_t i = 0; i < report.results.size(); ++i) terminal.Print("{:>8}", i + 1);
  terminal.Write("\n");
  for (size_t row = 0; row < report.results.size(); ++row) {
    terminal.Print("{:<{}}", fmt::format("{} {}", row + 1, ShortName(report.results[row].image)),
                   kNameWidth);
    for (const PictureResult& column : report.results) {
      terminal.Print("{:>8.4f}", Cosine(report.results[row].embedding, column.embedding));
    }
    terminal.Write("\n");
  }
}

void PrintPlacement(const std::vector<PlacedNode>& placement, Terminal& terminal) {
  const bool one_part = placement.empty() || placement.front().part == placement.back().part;
  std::string part;
  terminal.Print("\n{:<44} {:<16} {:<6} {:<9} {:<12} {:<6} {}\n", "node", "op", "device",
                 "provider", "isa", "dtype", "kernel");
  for (const PlacedNode& node : placement) {
    if (!one_part && node.part != part) terminal.Print("{}:\n", node.part);
    part = node.part;
    terminal.Print("{:<44} {:<16} {:<6} {:<9} {:<12} {:<6} {}\n", node.name, node.op, node.device,
                   node.provider, node.isa.empty() ? "portable" : node.isa, node.dtype,
                   node.kernel);
  }
  // Only passes make them, between maps in different layouts: a convolutional net should need few.
  const auto reorders = std::ranges::count(placement, "Reorder", &PlacedNode::op);
  const bool convolves = std::ranges::any_of(
      placement, [](const PlacedNode& node) { return node.op.ends_with("Conv2d"); });
  if (convolves || reorders > 0) terminal.Print("maps reordered between layouts: {}\n", reorders);
}

std::string ToJson(const RunReport& report) {
  const ModelInfo& info = report.session.info();
  const SessionMemory memory = report.session.memory();
  JsonWriter json;
  json.BeginObject()
      .Field("version", Version())
      .Field("model", report.options.session.model)
      .Field("family", info.family)
      .Field("architecture", info.architecture)
      .Field("device", report.options.session.device)
      .Field("dtype", report.options.dtype)
      .Key("processor")
      .Raw(info.processor)
      .Field("embedding_kind", report.options.embedding);
  json.Key("seconds")
      .BeginObject()
      .Field("read", report.session.seconds().read)
      .Field("compile", report.session.seconds().compile)
      .Field("decode", report.decode_s)
      .Field("run", report.run_s)
      .Field("detect", report.detect_s)
      .Field("encode", report.generation.encode)
      .Field("first_token", report.generation.first_token)
      .Field("more_tokens", report.generation.more_tokens)
      .Field("steps", report.generation.steps)
      .Field("total", report.total_s)
      .EndObject();
  json.Key("memory")
      .BeginObject()
      .Field("weight_bytes", memory.weight_bytes)
      .Field("packed_bytes", memory.packed_bytes)
      .Field("arena_bytes", memory.arena_bytes)
      .Field("cache_bytes", memory.cache_bytes)
      .EndObject();
  json.Key("warnings").Array(info.warnings);
  json.Key("results").BeginArray();
  for (const PictureResult& result : report.results) WriteResult(result, report, json);
  json.EndArray().Key("failed").BeginArray();
  for (const FailedPicture& failed : report.failed) {
    json.BeginObject().Field("image", failed.image).Field("error", failed.error).EndObject();
  }
  json.EndArray();
  if (report.options.similarity) WriteSimilarity(report, json);
  if (!report.placement.empty()) WritePlacement(report.placement, json);
  json.EndObject();
  return json.Take();
}

}  // namespace vernier
