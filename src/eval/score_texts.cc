#include <algorithm>
#include <limits>

#include "core/check.h"
#include "eval/score_tasks.h"
#include "metrics/text_answers.h"
#include "metrics/text_bleu.h"
#include "metrics/text_edits.h"
#include "metrics/text_rouge.h"

namespace vernier {
namespace {

using Text = std::string_view;

// A figure of one answer in [0, 1], whose mean is the metric.
struct MeanMetric {
  const char* name;
  double (*score)(Text reference, Text candidate);
  bool lower_is_better = false;
};

constexpr MeanMetric kMeans[] = {
    {"exact_match", [](Text r, Text c) { return ExactMatch(r, c) ? 1.0 : 0.0; }},
    {"relaxed_accuracy", [](Text r, Text c) { return RelaxedMatch(r, c) ? 1.0 : 0.0; }},
    {"anls", [](Text r, Text c) { return Anls(r, c); }},
    {"rouge_1", [](Text r, Text c) { return RougeN(r, c, 1).f; }},
    {"rouge_2", [](Text r, Text c) { return RougeN(r, c, 2).f; }},
    {"rouge_l", [](Text r, Text c) { return RougeL(r, c).f; }},
    {"ned", [](Text r, Text c) { return NormalizedEditDistance(r, c); }, true},
    {"1-ned", [](Text r, Text c) { return 1 - NormalizedEditDistance(r, c); }}};

// Edits of all answers by the length of all references.
struct RateMetric {
  const char* name;
  EditCounts (*count)(Text reference, Text candidate);
};

constexpr RateMetric kRates[] = {{"cer", [](Text r, Text c) { return CharacterEdits(r, c); }},
                                 {"wer", [](Text r, Text c) { return WordEdits(r, c); }}};

constexpr const char* kBleuName = "bleu";

double BestMean(const MeanMetric& metric, const Record& record) {
  if (record.failed()) return metric.lower_is_better ? 1 : 0;
  std::vector<double> scores;
  for (const std::string& expected : record.expected) {
    scores.push_back(metric.score(expected, record.answer));
  }
  return metric.lower_is_better ? std::ranges::min(scores) : std::ranges::max(scores);
}

EditCounts FewestEdits(const RateMetric& metric, const Record& record) {
  EditCounts best;
  for (size_t i = 0; i < record.expected.size(); ++i) {
    // A failed record's answer is empty: everything in the reference is missing.
    const EditCounts counts = metric.count(record.expected[i], record.answer);
    if (i == 0 || ErrorRate(counts) < ErrorRate(best)) best = counts;
  }
  return best;
}

void AddTerms(const std::string& name, const Record& record, MetricTerms& terms) {
  if (name == kBleuName) {
    const BleuCounts counts = CountBleu(record.expected, record.answer);
    for (int64_t count : counts.matches) terms.terms.push_back(static_cast<double>(count));
    for (int64_t count : counts.totals) terms.terms.push_back(static_cast<double>(count));
    terms.terms.push_back(static_cast<double>(counts.candidate_length));
    terms.terms.push_back(static_cast<double>(counts.reference_length));
    return;
  }
  if (const auto* mean = std::ranges::find(kMeans, name, &MeanMetric::name);
      mean != std::end(kMeans)) {
    terms.AddValue(BestMean(*mean, record));
    return;
  }
  const auto* rate = std::ranges::find(kRates, name, &RateMetric::name);
  VN_CHECK(rate != std::end(kRates), name);
  const EditCounts counts = FewestEdits(*rate, record);
  terms.terms.push_back(static_cast<double>(counts.edits));
  terms.terms.push_back(static_cast<double>(std::max<int64_t>(counts.reference_length, 1)));
}

}  // namespace

std::vector<std::string> TextMetricNames() {
  std::vector<std::string> names;
  for (const MeanMetric& metric : kMeans) names.emplace_back(metric.name);
  names.emplace_back(kBleuName);
  for (const RateMetric& metric : kRates) names.emplace_back(metric.name);
  return names;
}

MetricTerms ScoreTexts(std::span<const Record> records, const std::string& name,
                       FailedSamples failed) {
  MetricTerms terms{.name = name};
  if (name == kBleuName) {
    terms.form = MetricForm::kBleu;
    terms.most = 100;
  } else if (std::ranges::count(kRates, name, &RateMetric::name) > 0) {
    terms.most = std::numeric_limits<double>::infinity();
  }
  for (const Record& record : records) {
    if (record.failed() && failed == FailedSamples::kLeftOut) {
      terms.AddNothing();
    } else {
      AddTerms(name, record, terms);
    }
  }
  return terms;
}

}  // namespace vernier
