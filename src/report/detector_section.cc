#include "report/detector_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace vernier {
namespace {

// Dumps of the network that the port holds against each other, by the beginning of their names.
constexpr std::string_view kLayers[] = {"stem",        "res",      "level",
                                        "basis_fused", "bases",    "cls_logits.",
                                        "bbox_reg.",   "ctrness.", "top_feat."};

bool IsLayer(std::string_view name) {
  const bool pyramid = name.size() == 2 && name[0] == 'p';
  return pyramid || std::ranges::any_of(kLayers, [&](std::string_view layer) {
           return layer.ends_with('.') ? name.starts_with(layer)
                                       : name.substr(0, layer.size()) == layer &&
                                             name.find('.') == std::string_view::npos;
         });
}

// The layer's name among a tensor's own and its aliases; empty where it is none.
std::string LayerName(const Json& tensor) {
  const std::string name = tensor.GetString("name");
  if (IsLayer(name)) return name;
  if (!tensor.Has("aliases")) return "";
  for (const std::string& alias : tensor.GetStrings("aliases")) {
    if (IsLayer(alias)) return alias;
  }
  return "";
}

std::optional<double> FigureOf(const Json* figures, std::string_view key) {
  const Json* figure = figures == nullptr || figures->is_null() ? nullptr : figures->Find(key);
  if (figure == nullptr || figure->is_null()) return std::nullopt;
  return figure->AsNumber();
}

struct Figures {
  int layers = 0;
  double mre_sum = 0;
  double worst_mre = 0;
  std::string worst_layer;
  std::optional<double> boxes, scores, classes, top5;
};

Figures Gather(const Json& comparison) {
  Figures figures;
  for (const Json& tensor : comparison.GetArray("tensors").items()) {
    const std::string name = tensor.GetString("name");
    const Json* accumulated = tensor.Find("accumulated");
    const Json* rows = tensor.Find("rows");
    if (name == "box_distances") figures.boxes = FigureOf(accumulated, "mean_abs");
    if (name == "top_scores") figures.scores = FigureOf(accumulated, "mean_rel");
    if (name == "top_classes") {
      figures.classes = FigureOf(rows, "top1");
      figures.top5 = FigureOf(rows, "top5");
    }
    const std::string layer = LayerName(tensor);
    const auto mre = FigureOf(accumulated, "mre");
    if (layer.empty() || !mre) continue;
    ++figures.layers;
    figures.mre_sum += *mre;
    if (figures.worst_layer.empty() || *mre > figures.worst_mre) {
      figures.worst_mre = *mre;
      figures.worst_layer = layer;
    }
  }
  return figures;
}

std::string Percent(double share) { return fmt::format("{:.4f} %", 100 * share); }

std::vector<Cell> Row(const char* figure, const std::string& value, const char* limit,
                      std::optional<bool> held, const char* published) {
  const ReportTone tone = !held ? ReportTone::kPlain : *held ? ReportTone::kGood : ReportTone::kBad;
  return {{figure}, {value}, {limit}, {!held ? "" : *held ? "held" : "missed", tone}, {published}};
}

}  // namespace

std::optional<Section> DetectorSection(const Json& comparison) {
  const Figures figures = Gather(comparison);
  if (!figures.boxes || !figures.scores || !figures.classes) return std::nullopt;
  Table table{.caption =
                  "The published port's six figures: its limits, and what it reached on its "
                  "own device. Layers are those that it dumps; scores and classes are those "
                  "of the reference's 100 best places of each picture.",
              .columns = {{"figure"}, {"here", true}, {"limit"}, {""}, {"published", true}}};
  if (figures.layers > 0) {
    const double mean = figures.mre_sum / figures.layers;
    table.rows.push_back(
        Row("mean relative error of the layers", Percent(mean), "< 10 %", mean < 0.1, "1.7264 %"));
    table.rows.push_back(
        Row("largest relative error of a layer",
            fmt::format("{} ({})", Percent(figures.worst_mre), figures.worst_layer), "< 10 %",
            figures.worst_mre < 0.1, "7.2268 %"));
  }
  table.rows.push_back(Row("box absolute error, in strides", fmt::format("{:.6f}", *figures.boxes),
                           "< 0.10", *figures.boxes < 0.1, "0.081620"));
  table.rows.push_back(Row("score relative error", Percent(*figures.scores), "< 1 %",
                           *figures.scores < 0.01, "0.0237 %"));
  table.rows.push_back(Row("class accuracy", Percent(*figures.classes), "> 70 %",
                           *figures.classes > 0.7, "85.00 %"));
  if (figures.top5) {
    table.rows.push_back(
        Row("overlap of the five best classes", Percent(*figures.top5), "", {}, "100 %"));
  }
  return Section{.id = "", .title = "Detections", .blocks = {std::move(table)}};
}

}  // namespace vernier
