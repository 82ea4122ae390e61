// What a comparison of a detector's dense maps says about its detections: metrics/detector_figures
// as tensors of their own, for gates and reports.
#pragma once

#include <span>

#include "verify/comparison.h"
#include "verify/pairing.h"
#include "verify/tensor_source.h"
#include "vernier/session.h"

namespace vernier {

/// Where both sides have cls_logits, bbox_reg and ctrness of the same levels, adds box_distances
/// (all levels' bbox_reg), top_scores and top_classes (of the reference's best 100 locations of
/// each picture).
void AddDetectorFigures(const TensorSource& reference, const TensorSource& candidate,
                        std::span<const TensorPair> pairs, Comparison& comparison);

/// The same from the outputs of two runs.
void AddDetectorFigures(const NamedTensors& reference, const NamedTensors& candidate,
                        Comparison& comparison);

/// Where results hold objects, matches them picture by picture and adds objects (top1: the share of
/// the reference's that were found again), boxes (in pixels), scores and mask_overlaps (against 1)
/// of those that match, and a sentence to the notes.
void AddMatchedInstances(std::span<const SourceResult> reference,
                         std::span<const SourceResult> candidate, Comparison& comparison);

}  // namespace vernier
