#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/detector_section.h"
#include "report/manifest.h"
#include "report/sections.h"

namespace vernier {
namespace {

constexpr size_t kWorstShown = 15;
constexpr size_t kUnpairedShown = 30;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// |x - r| / |r| of a tensor: comparable between layers of any size, unlike single values'
// quotients.
double ErrorOf(const Json* metrics) {
  return metrics == nullptr || metrics->is_null() ? kNone
                                                  : metrics->GetNumber("rel_euclidean", kNone);
}

const Json* OwnMetrics(const Json& tensor) {
  const Json* own = tensor.Find("own");
  return own == nullptr || own->is_null() ? nullptr : own->Find("metrics");
}

double Accumulated(const Json& tensor) { return ErrorOf(tensor.Find("accumulated")); }
double Own(const Json& tensor) { return ErrorOf(OwnMetrics(tensor)); }

std::string FigureText(double value) { return std::isnan(value) ? "–" : ShortNumber(value); }

std::string MetricText(const Json* metrics, std::string_view key) {
  if (metrics == nullptr || metrics->is_null()) return "–";
  return FigureText(metrics->GetNumber(key, kNone));
}

// With enough digits to tell 0.999999 from 1.
std::string CosineText(const Json* metrics) {
  if (metrics == nullptr || metrics->is_null()) return "–";
  const double cosine = metrics->GetNumber("cosine", kNone);
  return std::isnan(cosine) ? "–" : fmt::format("{:.8g}", cosine);
}

Table GateTable(const Json& content) {
  Table table{.caption = "Gates",
              .columns = {{"gate"}, {"outcome"}, {"value", true}, {"at"}, {"missed", true}, {""}}};
  for (const Json& gate : content.GetArray("gates").items()) {
    const std::string outcome = gate.GetString("outcome");
    std::string value = FigureText(gate.GetNumber("value", kNone));
    if (const Json* interval = gate.Find("interval");
        interval != nullptr && interval->size() == 2) {
      value += fmt::format(" ({} – {})", ShortNumber(interval->items()[0].AsNumber()),
                           ShortNumber(interval->items()[1].AsNumber()));
    }
    table.rows.push_back(
        {{gate.GetString("gate")},
         {outcome, ToneOf(VerdictOf(outcome))},
         {value},
         {gate.GetString("tensor", "")},
         {fmt::format("{} of {}", gate.GetInt("over", 0), gate.GetInt("tensors", 0))},
         {gate.GetString("note", "")}});
  }
  return table;
}

std::vector<Cell> TensorRow(const Json& tensor) {
  const Json* accumulated = tensor.Find("accumulated");
  const Json* own = tensor.Find("own");
  std::string own_text = FigureText(Own(tensor));
  if (own != nullptr && !own->is_null() && own->GetString("kind", "") == "regional") {
    own_text += " (regional)";
  }
  return {{tensor.GetString("name")},
          {tensor.GetString("op", "")},
          {tensor.GetObject("candidate").GetString("tap", "")},
          {FigureText(Accumulated(tensor))},
          {own_text},
          {MetricText(accumulated, "max_abs")},
          {MetricText(accumulated, "mre")},
          {CosineText(accumulated)},
          {tensor.GetString("not_compared", "")}};
}

const std::vector<Column> kTensorColumns = {{"tensor"},    {"op"},
                                            {"tap"},       {"accumulated", true},
                                            {"own", true}, {"max abs", true},
                                            {"MRE", true}, {"cosine", true},
                                            {""}};

// Own error decides where it is known: it does not blame a layer for what came before it.
Table WorstTable(const std::vector<const Json*>& tensors) {
  std::vector<const Json*> worst = tensors;
  const bool own = std::any_of(worst.begin(), worst.end(),
                               [](const Json* tensor) { return !std::isnan(Own(*tensor)); });
  const auto key = [&](const Json* tensor) {
    const double error = own ? Own(*tensor) : Accumulated(*tensor);
    const Json* not_compared = tensor->Find("not_compared");
    const bool broken = not_compared != nullptr && !not_compared->AsString().empty();
    if (broken) return std::numeric_limits<double>::infinity();
    return std::isnan(error) ? -1 : error;
  };
  std::stable_sort(worst.begin(), worst.end(),
                   [&](const Json* a, const Json* b) { return key(a) > key(b); });
  if (worst.size() > kWorstShown) worst.resize(kWorstShown);
  Table table{.caption = fmt::format(
                  "The {} of {} tensors with the largest {} error; errors are |x − r| / |r|.",
                  worst.size(), tensors.size(), own ? "own" : "accumulated"),
              .columns = kTensorColumns};
  for (const Json* tensor : worst) table.rows.push_back(TensorRow(*tensor));
  return table;
}

Figure DepthFigure(const std::vector<const Json*>& tensors) {
  Figure figure{.plot = {.title = "Error by depth",
                         .x = {.label = "tensor, in the order of the run"},
                         .y = {.label = "|x − r| / |r|", .logarithmic = true},
                         .series = {{.name = "accumulated", .mark = PlotMark::kLine}}},
                .caption =
                    "Accumulated: the run as it is. Own: each step alone, fed with the reference's "
                    "values, so "
                    "that nothing before it counts. Errors of exactly zero are not drawn."};
  PlotSeries own{.name = "own", .mark = PlotMark::kDots};
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string name = tensors[i]->GetString("name");
    const auto point = [&](double error) {
      return PlotPoint{.x = static_cast<double>(i),
                       .y = error,
                       .label = fmt::format("{}: {}", name, FigureText(error))};
    };
    figure.plot.series[0].points.push_back(point(Accumulated(*tensors[i])));
    if (const double error = Own(*tensors[i]); !std::isnan(error))
      own.points.push_back(point(error));
  }
  if (!own.points.empty()) figure.plot.series.push_back(std::move(own));
  return figure;
}

void AddUnpaired(const Json& content, std::string_view key, std::string_view side,
                 Section& section) {
  const auto tensors = content.GetArray(key).items();
  if (tensors.empty()) return;
  Table table{.caption = fmt::format("{} tensors only in the {}", tensors.size(), side),
              .columns = {{"tensor"}, {"reason"}}};
  for (const Json& tensor : tensors.first(std::min(tensors.size(), kUnpairedShown))) {
    table.rows.push_back({{tensor.GetString("name")}, {tensor.GetString("reason", "")}});
  }
  if (tensors.size() > kUnpairedShown) {
    table.rows.push_back({{fmt::format("… and {} more", tensors.size() - kUnpairedShown)}, {""}});
  }
  section.blocks.push_back(std::move(table));
}

std::string SideText(const Json& side) {
  std::string text = side.GetString("source", "");
  const std::string setting =
      fmt::format("{} {}", side.GetString("device", ""), side.GetString("dtype", ""));
  if (setting != " ") text += fmt::format(" ({})", setting);
  return text;
}

// Layer by layer; `inputs` are what processors made and stand apart.
Section SectionOf(const Json& content, const std::vector<const Json*>& inputs,
                  const std::vector<const Json*>& tensors) {
  const Json& verdict = content.GetObject("verdict");
  const std::string outcome = verdict.GetString("outcome");
  Section section{.id = "",
                  .title = "Equal to the reference?",
                  .remark = outcome,
                  .tone = ToneOf(VerdictOf(outcome))};
  section.blocks.push_back(Paragraph{fmt::format(
      "{} against the reference {}; scope: {}.", SideText(content.GetObject("candidate")),
      SideText(content.GetObject("reference")), verdict.GetString("scope", "numerics"))});
  if (verdict.Has("culprits")) {
    section.blocks.push_back(BulletList{verdict.GetObject("culprits").GetStrings("sentences")});
  }
  if (const std::string remedy = verdict.GetString("would_pass", ""); !remedy.empty()) {
    section.blocks.push_back(Paragraph{fmt::format("It would pass with {}.", remedy)});
  }
  if (content.GetArray("gates").size() > 0) section.blocks.push_back(GateTable(content));
  if (!inputs.empty()) {
    Table table{.caption = "Layer 0: what the processors made of the input.",
                .columns = kTensorColumns};
    for (const Json* tensor : inputs) table.rows.push_back(TensorRow(*tensor));
    section.blocks.push_back(std::move(table));
  }
  if (!tensors.empty()) {
    section.blocks.push_back(DepthFigure(tensors));
    section.blocks.push_back(WorstTable(tensors));
  }
  AddUnpaired(content, "only_reference", "reference", section);
  AddUnpaired(content, "only_candidate", "candidate", section);
  section.blocks.push_back(BulletList{content.GetStrings("notes")});
  return section;
}

std::vector<KeyFigure> FiguresOf(const Json& content, const std::vector<const Json*>& tensors) {
  std::vector<KeyFigure> figures;
  figures.push_back(
      {.label = "tensors compared",
       .value = std::to_string(content.GetArray("tensors").size()),
       .note = fmt::format("{} without a partner", content.GetArray("only_reference").size() +
                                                       content.GetArray("only_candidate").size())});
  const auto worst =
      std::max_element(tensors.begin(), tensors.end(), [](const Json* a, const Json* b) {
        const double x = Accumulated(*a), y = Accumulated(*b);
        return (std::isnan(x) ? -1 : x) < (std::isnan(y) ? -1 : y);
      });
  if (worst != tensors.end()) {
    figures.push_back({.label = "largest error |x − r| / |r|",
                       .value = FigureText(Accumulated(**worst)),
                       .note = (*worst)->GetString("name")});
  }
  return figures;
}

}  // namespace

ReportPart ComparePart(const ResultFile& file) {
  const Json& content = file.content;
  const Json& verdict = content.GetObject("verdict");
  ReportPart part{.finding = VerdictOf(verdict.GetString("outcome")),
                  .reasons = verdict.GetStrings("reasons")};
  part.not_tested = verdict.GetStrings("not_tested");

  std::vector<const Json*> inputs, tensors;
  for (const Json& tensor : content.GetArray("tensors").items()) {
    (tensor.GetBool("preprocessing", false) ? inputs : tensors).push_back(&tensor);
  }
  part.figures = FiguresOf(content, tensors);
  part.sections.push_back(SectionOf(content, inputs, tensors));
  if (auto detections = DetectorSection(content)) {
    part.sections.push_back(std::move(*detections));
  }
  part.facts = Manifest(content);
  part.command = CommandOf(content);
  return part;
}

}  // namespace vernier
