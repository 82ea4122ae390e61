// Objects of a set and of a model as the lines of a results file have them, and the set's classes
// as the model counts them. Pure.
#pragma once

#include <string>
#include <vector>

#include "eval/dataset.h"
#include "metrics/coco_ap.h"
#include "vernier/instances.h"

namespace vernier {

/// One annotated object: {"category_id", "category", "bbox", "area", "iscrowd", "segmentation"}.
std::string ObjectText(const CocoTruth& truth, const std::string& class_name);
/// Reads it back; `image` becomes the truth's. Throws Error{kInput}.
CocoTruth ParseObject(const std::string& text, int64_t image);
/// The class's name alone.
std::string ObjectClassName(const std::string& text);

/// What a model found in a picture, as a JSON array.
std::string DetectionsText(const std::vector<Instance>& instances);
std::vector<CocoDetection> ParseDetections(const std::string& text, int64_t image);

/// Rewrites the objects of all samples from the set's classes to the model's `labels`, by name; or,
/// where the model has no names and as many classes, by their order. Throws Error{kInput} naming
/// the class that the model lacks.
void UseModelClasses(Dataset& set, const std::vector<std::string>& labels, int64_t classes);

}  // namespace vernier
