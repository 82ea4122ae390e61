// What a detector finds in a picture: boxes, classes, scores, and masks as COCO stores them.
// Plain values; picture coordinates in pixels, x to the right, y down, the upper left corner 0, 0.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vernier {

/// A mask as COCO's run lengths: columns top to bottom, one after the other from the left, runs of
/// 0 and 1 in turn beginning with 0 (a first run may be empty).
struct RunLengths {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<int64_t> counts = {};  // their sum is height * width

  int64_t area() const;  // pixels that are set
};

/// One object.
struct Instance {
  int64_t category = 0;           // class, counted from 0 as the model counts them
  float score = 0;                // 0 to 1
  std::array<float, 4> box = {};  // left, top, right, bottom, within the picture
  RunLengths mask = {};           // of the whole picture
};

/// All objects of one picture, best score first.
struct PictureInstances {
  int64_t height = 0;  // of the picture as one sees it: upright
  int64_t width = 0;
  std::vector<Instance> instances = {};
};

/// What to leave out of what the model finds. Zeros leave nothing out.
struct DetectionRequest {
  double least_score = 0;     // instances below it
  int64_t max_instances = 0;  // keep this many of the best of each picture
};

}  // namespace vernier
