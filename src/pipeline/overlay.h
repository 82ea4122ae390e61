// A picture with what a detector found drawn into it: masks half transparent in colours that
// differ, their outlines, boxes, and labels with class and score. Pure but for the font's file.
#pragma once

#include <string>
#include <vector>

#include "io/image.h"
#include "vernier/instances.h"

namespace vernier {

struct OverlayLabels {
  std::vector<std::string> classes;  // names by category; "class 3" where one is missing
  std::string font_file = {};        // empty: nothing is written
};

/// "person", or "class 3" where classes have no names.
std::string CategoryName(const std::vector<std::string>& classes, int64_t category);

/// `picture` is RGB and upright, of the size that `found` says.
Image DrawInstances(const Image& picture, const PictureInstances& found,
                    const OverlayLabels& labels);

}  // namespace vernier
