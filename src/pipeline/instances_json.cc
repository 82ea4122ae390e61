#include "pipeline/instances_json.h"

#include <vector>

#include "core/coco_mask.h"
#include "models/blendmask/class_names.h"

namespace vernier {

void WriteInstances(const PictureInstances& found, const CocoForm& form, JsonWriter& json) {
  for (const Instance& instance : found.instances) {
    const auto& box = instance.box;
    json.BeginObject()
        .Field("image_id", form.image_id)
        .Field("category_id", instance.category)
        .Key("bbox")
        .Array(std::vector<float>{box[0], box[1], box[2] - box[0], box[3] - box[1]})
        .Field("score", instance.score)
        .Key("segmentation")
        .BeginObject()
        .Key("size")
        .Array(std::vector<int64_t>{instance.mask.height, instance.mask.width})
        .Field("counts", CompressedText(instance.mask))
        .EndObject()
        .Field("area", instance.mask.area());
    if (form.coco_classes) json.Field("coco_category_id", CocoCategoryId(instance.category));
    json.EndObject();
  }
}

}  // namespace vernier
