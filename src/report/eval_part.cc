#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/manifest.h"
#include "report/sections.h"

namespace vernier {
namespace {

constexpr size_t kTextsShown = 20;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string FigureText(const Json& metric, std::string_view key) {
  const double value = metric.GetNumber(key, kNone);
  return std::isnan(value) ? "–" : ShortNumber(value);
}

std::string IntervalText(const Json& metric) {
  const std::string low = FigureText(metric, "low"), high = FigureText(metric, "high");
  return low == "–" || high == "–" ? "–" : fmt::format("{} – {}", low, high);
}

Table MetricTable(const Json& metrics, std::string caption) {
  Table table{.caption = std::move(caption),
              .columns = {{"metric"}, {"value", true}, {"95 % interval", true}, {"samples", true}}};
  for (const Json& metric : metrics.items()) {
    table.rows.push_back({{metric.GetString("name")},
                          {FigureText(metric, "value")},
                          {IntervalText(metric)},
                          {std::to_string(metric.GetInt("n", 0))}});
  }
  return table;
}

Table GateTable(const Json& gates) {
  Table table{.caption = "Gates",
              .columns = {{"gate"}, {"outcome"}, {"value", true}, {"95 % interval", true}, {""}}};
  for (const Json& gate : gates.items()) {
    const std::string outcome = gate.GetString("outcome");
    table.rows.push_back({{gate.GetString("gate")},
                          {outcome, ToneOf(VerdictOf(outcome))},
                          {FigureText(gate, "value")},
                          {IntervalText(gate)},
                          {gate.GetString("note", "")}});
  }
  return table;
}

// Metrics that are shares; others (BLEU, rates) have scales of their own.
Figure MetricFigure(const Json& metrics) {
  Figure figure{.plot = {.title = "Metrics with their intervals",
                         .x = {.label = "metric"},
                         .y = {.label = "share"},
                         .series = {{.name = "value", .mark = PlotMark::kDots}}},
                .caption = "Whiskers are the 95 % interval over samples."};
  for (const Json& metric : metrics.items()) {
    const double value = metric.GetNumber("value", kNone);
    if (!(value >= 0 && value <= 1)) continue;
    // A metric of one sample, or of none, has no interval.
    const double low = metric.GetNumber("low", value), high = metric.GetNumber("high", value);
    figure.plot.series[0].points.push_back(
        {.x = static_cast<double>(figure.plot.x.names.size()),
         .y = value,
         .label = fmt::format("{}: {} ({})", metric.GetString("name"), ShortNumber(value),
                              IntervalText(metric)),
         .low = std::isnan(low) ? value : low,
         .high = std::isnan(high) ? value : high});
    figure.plot.x.names.push_back(metric.GetString("name"));
  }
  return figure;
}

std::string Joined(const Json* texts) {
  std::string joined;
  if (texts == nullptr || !texts->is_array()) return joined;
  for (const Json& text : texts->items()) joined += (joined.empty() ? "" : " | ") + text.AsString();
  return joined;
}

// Pairs of answers under one heading, the first ones of a long list.
void AddPairs(const Json* list, int64_t count, TextPairs pairs, std::string_view what,
              std::string_view left, std::string_view right, Section& section) {
  if (list == nullptr || list->size() == 0) return;
  for (const Json& entry : list->items().first(std::min(list->size(), kTextsShown))) {
    const Json* reference = entry.Find(left);
    pairs.pairs.push_back(
        {.name = entry.GetString("id", ""),
         .reference = reference != nullptr && reference->is_array() ? Joined(reference)
                                                                    : entry.GetString(left, ""),
         .candidate = entry.GetString(right, ""),
         .remark = left == "expected" ? "" : "expected: " + Joined(entry.Find("expected"))});
  }
  section.blocks.push_back(Paragraph{fmt::format("{} of {} {}:", pairs.pairs.size(), count, what)});
  section.blocks.push_back(std::move(pairs));
}

Section BaselineSection(const Json& baseline) {
  Section section{
      .id = "", .title = "Against an earlier run", .remark = baseline.GetString("path", "")};
  section.blocks.push_back(
      Paragraph{fmt::format("{} samples in both runs, {} in one alone.",
                            baseline.GetInt("paired", 0), baseline.GetInt("unpaired", 0))});
  section.blocks.push_back(
      MetricTable(baseline.GetArray("agreement"), "This run's answers against the earlier run's"));
  section.blocks.push_back(
      MetricTable(baseline.GetArray("deltas"), "Differences of the metrics, sample by sample"));
  AddPairs(baseline.Find("changed"), baseline.GetInt("changed_count", 0),
           {.reference_title = "before", .candidate_title = "now"}, "answers that changed",
           "before", "now", section);
  return section;
}

}  // namespace

ReportPart EvalPart(const ResultFile& file) {
  const Json& content = file.content;
  const Json& verdict = content.GetObject("verdict");
  const bool gated = content.GetArray("gates").size() > 0;
  const std::string outcome = verdict.GetString("kind");
  ReportPart part{.finding = gated ? VerdictOf(outcome) : ReportVerdict::kMeasured,
                  .reasons = verdict.GetStrings("reasons")};

  const Json& metrics = content.GetArray("metrics");
  const Json& counts = content.GetObject("counts");
  Section section{.id = "",
                  .title = "Does it do its task?",
                  .remark = gated ? outcome : content.GetString("task", ""),
                  .tone = gated ? ToneOf(VerdictOf(outcome)) : ReportTone::kPlain};
  section.blocks.push_back(Paragraph{fmt::format(
      "{} on {}: {} of {} samples, {} failed ({}).", content.GetString("model", ""),
      content.GetString("data", ""), counts.GetInt("done", 0), counts.GetInt("samples", 0),
      counts.GetInt("failed", 0), counts.GetString("failed_count_as", ""))});
  section.blocks.push_back(MetricTable(metrics, "Metrics"));
  Figure figure = MetricFigure(metrics);
  if (figure.plot.series[0].points.size() > 1) section.blocks.push_back(std::move(figure));
  if (gated) section.blocks.push_back(GateTable(content.GetArray("gates")));
  AddPairs(content.Find("mistakes"), content.GetInt("mistakes_count", 0),
           {.reference_title = "expected", .candidate_title = "answer"},
           "answers that are not as expected", "expected", "answer", section);
  part.sections.push_back(std::move(section));
  if (const Json* baseline = content.Find("baseline"); baseline && baseline->is_object()) {
    part.sections.push_back(BaselineSection(*baseline));
  }
  if (!content.GetBool("complete", true)) {
    part.not_tested.push_back(fmt::format(
        "{} of the {} samples of {}", counts.GetInt("samples", 0) - counts.GetInt("done", 0),
        counts.GetInt("samples", 0), content.GetString("data", "the set")));
  }
  if (metrics.size() > 0) {
    const Json& first = metrics.items()[0];
    part.figures.push_back({.label = first.GetString("name"),
                            .value = FigureText(first, "value"),
                            .note = IntervalText(first)});
  }
  part.facts = Manifest(content);
  part.command = CommandOf(content);
  return part;
}

}  // namespace vernier
