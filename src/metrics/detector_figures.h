// How far two dense detectors are apart where it matters: the distances to the boxes' sides, and
// the scores and classes of the locations that the reference is surest of. Figures of the published
// BlendMask port; its report gives no formulas, these are ours. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "metrics/row_metrics.h"
#include "metrics/tensor_metrics.h"
#include "vernier/tensor.h"

namespace vernier {

/// One level of the pyramid, [pictures, channels, height, width] each.
struct DetectorLevel {
  TensorView cls_logits;
  TensorView bbox_reg;
  TensorView ctrness;
};

struct DetectorFigures {
  TensorMetrics distances;  // mean_abs: box absolute error, in strides
  TensorMetrics scores;     // mean_rel: score relative error, over the top locations
  RowMetrics classes;       // top1: class accuracy; top5: overlap of the five best classes
};

/// The largest class score of a location is sqrt(class probability * centre-ness); top locations
/// are the `locations` of each picture where the reference's is largest, the finer level and the
/// earlier place first among equals. Both sides have the same shapes.
DetectorFigures MeasureDetector(std::span<const DetectorLevel> candidate,
                                std::span<const DetectorLevel> reference, int64_t locations = 100);

}  // namespace vernier
