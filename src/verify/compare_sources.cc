#include "verify/compare_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "core/cancel.h"
#include "metrics/neighbour_correlation.h"
#include "metrics/text_edits.h"
#include "metrics/text_rouge.h"
#include "passes/precision_rules.h"
#include "verify/axis_orders.h"
#include "verify/detector_comparison.h"
#include "vernier/error.h"

namespace vernier {
namespace {

/// Values of each side that are looked at before pages are given back: 16 MiB of f32.
constexpr int64_t kChunk = 4 << 20;
static_assert(kChunk % MetricAccumulator::kBlock == 0);
/// Tensors up to this many values stay mapped between the two passes over them.
constexpr int64_t kKeptBetweenPasses = 2 * kChunk;
/// Values that decide between several fitting orders of axes.
constexpr int64_t kProbe = 65536;

template <class Use>
void ForEachChunk(const LoadedTensor& candidate, const LoadedTensor& reference, bool release,
                  const Use& use) {
  const int64_t count = reference.view().shape.elements();
  for (int64_t first = 0; first < count; first += kChunk) {
    const int64_t length = std::min(kChunk, count - first);
    use(candidate.Part(first, length), reference.Part(first, length));
    if (!release) continue;
    candidate.ReleasePart(first, length);
    reference.ReleasePart(first, length);
  }
}

struct Oriented {
  std::optional<LoadedTensor> moved;
  AxisOrder order;
};

/// The order of axes, of those that fit, in which the two sides are nearest.
Oriented NearestOrder(const LoadedTensor& candidate, const LoadedTensor& reference,
                      const std::vector<AxisOrder>& orders) {
  Oriented nearest;
  double least = std::numeric_limits<double>::infinity();
  for (const AxisOrder& order : orders) {
    const LoadedTensor& from = order.of_reference ? reference : candidate;
    const LoadedTensor& other = order.of_reference ? candidate : reference;
    LoadedTensor moved(Transposed(from.view(), order.axes));
    const int64_t probed = std::min(kProbe, from.view().shape.elements());
    const TensorMetrics metrics =
        MeasurePair(moved.Part(0, probed), other.Part(0, probed), {.divergence = false});
    const bool nearer = metrics.finite_pairs > 0 && metrics.mse < least;
    if (nearest.moved && !nearer) continue;
    if (nearer) least = metrics.mse;
    nearest = {std::move(moved), order};
  }
  return nearest;
}

std::vector<std::string> UnionOfNames(const SourceTensor& reference,
                                      const SourceTensor& candidate) {
  std::vector<std::string> aliases = reference.aliases;
  std::vector<std::string> others = candidate.aliases;
  others.push_back(candidate.facts.name);
  for (const std::string& name : others) {
    if (name != reference.facts.name && std::ranges::count(aliases, name) == 0) {
      aliases.push_back(name);
    }
  }
  return aliases;
}

void AddRows(const LoadedTensor& candidate, const LoadedTensor& reference,
             TensorComparison& tensor) {
  if (!IsFloat(reference.view().dtype) || !IsFloat(candidate.view().dtype)) return;
  TensorView scores = candidate.view();
  scores.shape = reference.view().shape;
  tensor.rows = MeasureRows(scores, reference.view());
}

TensorComparison ComparePair(const TensorSource& reference_side, const TensorSource& candidate_side,
                             const TensorPair& pair, const CompareOptions& options) {
  const SourceTensor& reference = reference_side.tensors()[pair.reference];
  const SourceTensor& candidate = candidate_side.tensors()[pair.candidate];
  TensorComparison tensor{.name = reference.facts.name,
                          .aliases = UnionOfNames(reference, candidate),
                          .op = reference.op.empty() ? candidate.op : reference.op,
                          .order = reference.order >= 0 ? reference.order : candidate.order,
                          .preprocessing = reference.preprocessing || candidate.preprocessing,
                          .output = reference.output || candidate.output,
                          .reference = reference.facts,
                          .candidate = candidate.facts,
                          .paired_by = pair.paired_by};
  if (reference.facts.dtype != candidate.facts.dtype) {
    tensor.notes.push_back(fmt::format("{} against {}: compared in f64",
                                       Name(reference.facts.dtype), Name(candidate.facts.dtype)));
  }
  LoadedTensor r = reference_side.Load(pair.reference);
  LoadedTensor x = candidate_side.Load(pair.candidate);
  if (reference.facts.shape != candidate.facts.shape) {
    const std::string shapes =
        fmt::format("shapes differ: {} and {}", reference.facts.shape.ToString(),
                    candidate.facts.shape.ToString());
    Oriented oriented =
        NearestOrder(x, r, FittingOrders(reference.facts.shape, candidate.facts.shape));
    if (!oriented.moved) {
      tensor.not_compared = shapes;
      return tensor;
    }
    tensor.transposed = oriented.order.words;
    tensor.notes.push_back(shapes);
    (oriented.order.of_reference ? r : x) = std::move(*oriented.moved);
  }
  HeldMetrics held = HoldTo(
      options.tolerances.Of(tensor.name, tensor.aliases), [&](const PairTolerance& tolerance) {
        return MeasureLoaded(
            x, r,
            {.tolerance = tolerance, .divergence = options.divergence, .threads = options.threads});
      });
  tensor.accumulated = held.metrics;
  tensor.tolerance = held.tolerance;
  if (HoldsScores(tensor.name, tensor.aliases)) AddRows(x, r, tensor);
  return tensor;
}

/// Labels of two results files, as decisions over pictures.
std::optional<TensorComparison> CompareLabels(const std::vector<SourceResult>& reference,
                                              const std::vector<SourceResult>& candidate) {
  RowMetrics rows;
  double same_best = 0;
  double shared = 0;
  for (size_t i = 0; i < std::min(reference.size(), candidate.size()); ++i) {
    const auto& r = reference[i].labels;
    const auto& x = candidate[i].labels;
    if (r.empty() || x.empty()) continue;
    constexpr size_t kBest = 5;
    const size_t considered = std::min({kBest, r.size(), x.size()});
    rows.rows += 1;
    rows.classes = static_cast<int64_t>(considered);
    same_best += r[0] == x[0] ? 1 : 0;
    double found = 0;
    for (size_t k = 0; k < considered; ++k) {
      found += static_cast<double>(
          std::count(x.begin(), x.begin() + static_cast<long>(considered), r[k]));
    }
    shared += found / static_cast<double>(considered);
  }
  if (rows.rows == 0) return {};
  rows.top1 = same_best / static_cast<double>(rows.rows);
  rows.top5 = shared / static_cast<double>(rows.rows);
  TensorComparison tensor{.name = "labels",
                          .output = true,
                          .reference = {.name = "labels", .shape = {rows.rows, rows.classes}},
                          .candidate = {.name = "labels", .shape = {rows.rows, rows.classes}},
                          .paired_by = "name"};
  tensor.rows = rows;
  return tensor;
}

void CompareResults(const TensorSource& reference, const TensorSource& candidate,
                    Comparison& comparison) {
  const auto& r = reference.results();
  const auto& x = candidate.results();
  if (r.empty() || x.empty()) return;
  if (r.size() != x.size()) {
    throw Error(ErrorKind::kInput,
                fmt::format("the reference has {} results, the candidate {}", r.size(), x.size()),
                "run both on the same pictures");
  }
  if (std::optional<TensorComparison> labels = CompareLabels(r, x)) {
    comparison.tensors.push_back(std::move(*labels));
  }
  AddMatchedInstances(r, x, comparison);
  for (size_t i = 0; i < r.size(); ++i) {
    if (r[i].item != x[i].item) {
      comparison.notes.push_back(fmt::format(
          "result {} is of {} on one side and of {} on the other", i + 1, r[i].item, x[i].item));
    }
    if (!r[i].text || !x[i].text) continue;
    comparison.texts.push_back({.item = r[i].item,
                                .reference = *r[i].text,
                                .candidate = *x[i].text,
                                .rouge_l = RougeL(*r[i].text, *x[i].text).f,
                                .edit_distance = NormalizedEditDistance(*r[i].text, *x[i].text)});
  }
}

bool Wanted(const SourceTensor& tensor, const std::vector<std::string>& filters) {
  return filters.empty() || std::ranges::any_of(filters, [&](const std::string& filter) {
           return MatchesAny(filter, tensor.facts.name, tensor.aliases);
         });
}

/// Marks the sides whose pixels are noise, which a verdict on the task must know.
void LookForNoise(const TensorSource& source, ComparedSide& side, std::vector<std::string>& notes) {
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    const ComparedTensor& facts = source.tensors()[i].facts;
    if (facts.name != "pixel_values" || facts.shape.elements() == 0) continue;
    const double correlation = NeighbourCorrelation(source.Load(i).view());
    if (!(correlation < kLeastPictureCorrelation)) continue;
    side.random_inputs = true;
    notes.push_back(fmt::format("the pixels of {} look like noise: neighbours correlate by {:.3f}",
                                side.source, correlation));
  }
}

int64_t BytesOf(const ComparedTensor& tensor) {
  return tensor.shape.elements() * static_cast<int64_t>(ByteSize(tensor.dtype));
}

}  // namespace

bool HoldsScores(const std::string& name, const std::vector<std::string>& aliases) {
  const auto scores = [](const std::string& text) { return text.ends_with("logits"); };
  return (scores(name) || std::ranges::any_of(aliases, scores)) && !name.ends_with("mask_logits");
}

TensorMetrics MeasureLoaded(const LoadedTensor& candidate, const LoadedTensor& reference,
                            const MetricOptions& options) {
  MetricAccumulator accumulator(options);
  const bool keep = reference.view().shape.elements() <= kKeptBetweenPasses;
  ForEachChunk(candidate, reference, !(keep && options.divergence),
               [&](const TensorView& x, const TensorView& r) { accumulator.Add(x, r); });
  if (options.divergence) {
    ForEachChunk(candidate, reference, true, [&](const TensorView& x, const TensorView& r) {
      accumulator.AddDivergence(x, r);
    });
  }
  candidate.CheckIntact();
  reference.CheckIntact();
  return accumulator.Finish();
}

Comparison CompareSources(const TensorSource& reference, const TensorSource& candidate,
                          const CompareOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Comparison comparison{.reference = reference.side(),
                        .candidate = candidate.side(),
                        .tolerance = options.tolerances.of_all};
  for (const TensorSource* side : {&reference, &candidate}) {
    comparison.notes.insert(comparison.notes.end(), side->notes().begin(), side->notes().end());
  }
  LookForNoise(reference, comparison.reference, comparison.notes);
  LookForNoise(candidate, comparison.candidate, comparison.notes);
  CompareResults(reference, candidate, comparison);
  Pairing pairing = PairTensors(reference, candidate, options.pairing);
  const bool has_results = !comparison.tensors.empty() || !comparison.texts.empty();
  if (!has_results) CheckAnythingPaired(pairing, reference, candidate);
  if (!pairing.proposed.empty()) {
    const TensorPair& first = pairing.proposed[0];
    comparison.notes.push_back(fmt::format(
        "--pair-by-shape would pair {} more by shape and order, the first '{}' with '{}'",
        pairing.proposed.size(), reference.tensors()[first.reference].facts.name,
        candidate.tensors()[first.candidate].facts.name));
  }
  std::erase_if(pairing.pairs, [&](const TensorPair& pair) {
    return !Wanted(reference.tensors()[pair.reference], options.filters) &&
           !Wanted(candidate.tensors()[pair.candidate], options.filters);
  });
  if (pairing.pairs.empty() && !has_results) {
    throw Error(ErrorKind::kUsage, "--filter: no tensor that both sides have has such a name",
                "leave --filter out to see all of them");
  }
  // Where the reference does not say its order, the candidate's is that of the run.
  if (std::ranges::any_of(reference.tensors(), [](const auto& t) { return t.order < 0; })) {
    std::ranges::stable_sort(pairing.pairs, {}, &TensorPair::candidate);
  }
  for (size_t i = 0; i < pairing.pairs.size(); ++i) {
    if (IsSet(options.cancel)) {
      throw Error(ErrorKind::kInterrupted, "the comparison was stopped");
    }
    if (options.progress) options.progress(i, pairing.pairs.size());
    comparison.tensors.push_back(ComparePair(reference, candidate, pairing.pairs[i], options));
    const TensorComparison& tensor = comparison.tensors.back();
    comparison.bytes_read += BytesOf(tensor.reference) + BytesOf(tensor.candidate);
  }
  AddDetectorFigures(reference, candidate, pairing.pairs, comparison);
  comparison.only_reference = std::move(pairing.only_reference);
  comparison.only_candidate = std::move(pairing.only_candidate);
  comparison.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return comparison;
}

}  // namespace vernier
