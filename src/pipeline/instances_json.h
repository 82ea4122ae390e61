// Instances as COCO's JSON has them. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "core/json_writer.h"
#include "vernier/instances.h"

namespace vernier {

struct CocoForm {
  int64_t image_id = 0;
  bool coco_classes = false;  // classes are COCO's 80, which have numbers of its own
};

/// One object per instance, best first, as items of an array that the caller has begun: image_id,
/// category_id (counted from 0), bbox [left, top, width, height], score, segmentation {size,
/// counts}, area and, for COCO's classes, coco_category_id.
void WriteInstances(const PictureInstances& found, const CocoForm& form, JsonWriter& json);

}  // namespace vernier
