#include "verify/detector_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/coco_mask.h"
#include "metrics/detector_figures.h"
#include "metrics/instance_matching.h"

namespace vernier {
namespace {

constexpr std::string_view kMaps[] = {"cls_logits.", "bbox_reg.", "ctrness."};

// "p3" for a tensor that is called, or has the alias, "cls_logits.p3".
std::optional<std::string> LevelOf(const SourceTensor& tensor, std::string_view map) {
  std::vector<std::string> names = tensor.aliases;
  names.push_back(tensor.facts.name);
  for (const std::string& name : names) {
    if (name.starts_with(map)) return name.substr(map.size());
  }
  return std::nullopt;
}

// Both sides' maps of one level; complete with three pairs.
struct PairedLevel {
  std::vector<LoadedTensor> reference;
  std::vector<LoadedTensor> candidate;

  static DetectorLevel Of(const std::vector<LoadedTensor>& maps) {
    return {maps[0].view(), maps[1].view(), maps[2].view()};
  }
};

TensorComparison Added(const char* name, const Shape& shape, const TensorMetrics& metrics) {
  return {.name = name,
          .output = true,
          .reference = {.name = name, .shape = shape},
          .candidate = {.name = name, .shape = shape},
          .paired_by = "computed from the heads' maps",
          .accumulated = metrics};
}

bool IsMap(const LoadedTensor& tensor) {
  return tensor.view().dtype == DType::kF32 && tensor.view().shape.rank() == 4;
}

// Levels from fine to coarse.
void AddFigures(std::span<const DetectorLevel> references,
                std::span<const DetectorLevel> candidates, Comparison& comparison) {
  if (references.empty()) return;
  const DetectorFigures figures = MeasureDetector(candidates, references);
  const int64_t rows = figures.classes.rows;
  comparison.tensors.push_back(
      Added("box_distances", {figures.distances.elements}, figures.distances));
  comparison.tensors.push_back(Added("top_scores", {rows}, figures.scores));
  TensorComparison classes = Added("top_classes", {rows, figures.classes.classes}, {});
  classes.rows = figures.classes;
  comparison.tensors.push_back(std::move(classes));
}

// What the matched objects of all pictures have, one after the other.
struct Matched {
  int64_t reference = 0;  // objects of the reference
  int64_t candidate = 0;
  std::vector<float> boxes_r, boxes_x, scores_r, scores_x, overlaps;

  void Add(const Instance& r, const Instance& x) {
    boxes_r.insert(boxes_r.end(), r.box.begin(), r.box.end());
    boxes_x.insert(boxes_x.end(), x.box.begin(), x.box.end());
    scores_r.push_back(r.score);
    scores_x.push_back(x.score);
    const bool same_size = r.mask.height == x.mask.height && r.mask.width == x.mask.width;
    overlaps.push_back(same_size ? static_cast<float>(MaskOverlap(x.mask, r.mask, false)) : 0.0F);
  }
};

TensorComparison AddedPairs(const char* name, const std::vector<float>& candidate,
                            const std::vector<float>& reference) {
  const Shape shape = {std::ssize(reference)};
  return Added(
      name, shape,
      MeasurePair({candidate.data(), DType::kF32, shape}, {reference.data(), DType::kF32, shape}));
}

}  // namespace

void AddMatchedInstances(std::span<const SourceResult> reference,
                         std::span<const SourceResult> candidate, Comparison& comparison) {
  Matched matched;
  bool any = false;
  for (size_t i = 0; i < std::min(reference.size(), candidate.size()); ++i) {
    if (!reference[i].instances || !candidate[i].instances) continue;
    any = true;
    const std::vector<Instance>& r = *reference[i].instances;
    const std::vector<Instance>& x = *candidate[i].instances;
    matched.reference += std::ssize(r);
    matched.candidate += std::ssize(x);
    for (const InstancePair& pair : MatchInstances(r, x)) {
      matched.Add(r[static_cast<size_t>(pair.reference)], x[static_cast<size_t>(pair.candidate)]);
    }
  }
  if (!any) return;
  const int64_t pairs = std::ssize(matched.overlaps);
  TensorComparison objects = Added("objects", {matched.reference}, {});
  objects.rows.emplace();
  objects.rows->rows = matched.reference;
  objects.rows->classes = 1;
  if (matched.reference > 0) {
    objects.rows->top1 = static_cast<double>(pairs) / static_cast<double>(matched.reference);
  }
  comparison.tensors.push_back(std::move(objects));
  if (pairs == 0) {
    comparison.notes.push_back(
        fmt::format("none of the reference's {} objects is among the "
                    "candidate's {}",
                    matched.reference, matched.candidate));
    return;
  }
  const TensorComparison boxes = AddedPairs("boxes", matched.boxes_x, matched.boxes_r);
  const TensorComparison scores = AddedPairs("scores", matched.scores_x, matched.scores_r);
  const std::vector<float> whole(matched.overlaps.size(), 1.0F);
  TensorComparison masks = AddedPairs("mask_overlaps", matched.overlaps, whole);
  masks.output = false;  // masks that are all equal are no constant that would raise doubts
  comparison.notes.push_back(fmt::format(
      "{} of the reference's {} objects are among the candidate's {}: boxes {:.3g} px apart in the "
      "mean, scores {:.3g}, masks overlap by {:.2f} %",
      pairs, matched.reference, matched.candidate, boxes.accumulated.mean_abs,
      scores.accumulated.mean_abs, 100 * (1 - masks.accumulated.mean_abs)));
  for (const auto* tensor :
       std::initializer_list<const TensorComparison*>{&boxes, &scores, &masks}) {
    comparison.tensors.push_back(*tensor);
  }
}

void AddDetectorFigures(const TensorSource& reference, const TensorSource& candidate,
                        std::span<const TensorPair> pairs, Comparison& comparison) {
  std::map<std::string, PairedLevel> levels;  // p3 before p4: from fine to coarse
  for (const std::string_view map : kMaps) {
    for (const TensorPair& pair : pairs) {
      const auto level = LevelOf(reference.tensors()[pair.reference], map);
      if (!level) continue;
      LoadedTensor r = reference.Load(pair.reference), x = candidate.Load(pair.candidate);
      if (!IsMap(r) || !IsMap(x) || !(r.view().shape == x.view().shape)) continue;
      levels[*level].reference.push_back(std::move(r));
      levels[*level].candidate.push_back(std::move(x));
    }
  }
  std::vector<DetectorLevel> references, candidates;
  for (const auto& [name, level] : levels) {
    if (level.reference.size() != std::size(kMaps)) return;
    references.push_back(PairedLevel::Of(level.reference));
    candidates.push_back(PairedLevel::Of(level.candidate));
  }
  AddFigures(references, candidates, comparison);
}

void AddDetectorFigures(const NamedTensors& reference, const NamedTensors& candidate,
                        Comparison& comparison) {
  std::vector<DetectorLevel> references, candidates;
  for (const auto& [name, tensor] : reference) {
    if (!name.starts_with(kMaps[0])) continue;
    const std::string level = name.substr(kMaps[0].size());
    std::vector<TensorView> r, x;
    for (const std::string_view map : kMaps) {
      const std::string of_level = std::string(map) + level;
      const auto in_reference = reference.find(of_level), in_candidate = candidate.find(of_level);
      if (in_reference == reference.end() || in_candidate == candidate.end()) return;
      if (!(in_reference->second.shape() == in_candidate->second.shape())) return;
      r.push_back(in_reference->second.view());
      x.push_back(in_candidate->second.view());
    }
    references.push_back({r[0], r[1], r[2]});
    candidates.push_back({x[0], x[1], x[2]});
  }
  AddFigures(references, candidates, comparison);
}

}  // namespace vernier
