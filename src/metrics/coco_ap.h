// Average precision and recall of detections as COCO defines them and pycocotools computes them:
// ten overlaps from 0.5 to 0.95, 101 recalls, crowds, four ranges of area. Pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "vernier/instances.h"

namespace vernier {

/// Left, top, width, height in pixels.
struct CocoBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

struct CocoTruth {
  int64_t image = 0;
  int64_t category = 0;
  CocoBox box;
  double area = 0;  // as annotated; decides the range of area that it belongs to
  bool crowd = false;
  RunLengths mask = {};  // for masks
};

struct CocoDetection {
  int64_t image = 0;
  int64_t category = 0;
  double score = 0;
  CocoBox box;
  RunLengths mask = {};  // for masks
};

enum class CocoOverlap { kBox, kMask };

/// pycocotools' twelve figures; -1 where no truth is in the range.
struct CocoFigures {
  double ap = -1;  // over all overlaps
  double ap50 = -1;
  double ap75 = -1;
  double ap_small = -1;   // area up to 32 x 32
  double ap_medium = -1;  // up to 96 x 96
  double ap_large = -1;
  double ar1 = -1;  // with the best 1, 10 and 100 detections of a picture
  double ar10 = -1;
  double ar100 = -1;
  double ar_small = -1;
  double ar_medium = -1;
  double ar_large = -1;
};

/// Average precision of one category alone; -1 where it has no truth.
struct CocoCategory {
  int64_t category = 0;
  double ap = -1;
  double ap50 = -1;
};

/// Matches once, and gives figures of whatever pictures are drawn.
class CocoScorer {
 public:
  /// Categories are those of the truths; detections of others count for nothing. What is pointed to
  /// is needed in the constructor alone.
  CocoScorer(std::span<const CocoTruth> truths, std::span<const CocoDetection> detections,
             CocoOverlap overlap);
  ~CocoScorer();
  CocoScorer(const CocoScorer&) = delete;
  CocoScorer& operator=(const CocoScorer&) = delete;

  /// `times[image]` is how often a picture counts, as though it stood in the set so often; empty:
  /// every one once. Images are numbered from 0 then. `each` gets the categories, rising; it may be
  /// null.
  CocoFigures Figures(std::span<const int> times = {},
                      std::vector<CocoCategory>* each = nullptr) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

CocoFigures EvaluateCoco(std::span<const CocoTruth> truths,
                         std::span<const CocoDetection> detections, CocoOverlap overlap);

double BoxOverlap(const CocoBox& detection, const CocoBox& truth, bool crowd);

}  // namespace vernier
