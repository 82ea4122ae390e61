// What a detector's classes are called, and how COCO numbers them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vernier {

/// COCO's 80 things, in the order in which models count them.
inline constexpr int64_t kCocoClasses = 80;
const std::vector<std::string>& CocoClassNames();

/// COCO's own number, 1 to 90 with ten gaps, of one of its 80 classes counted from 0.
int64_t CocoCategoryId(int64_t category);

/// A file with one name per line; empty lines at the end count for nothing. Throws Error{kInput}
/// unless it has exactly `classes` names.
std::vector<std::string> ReadClassNames(const std::string& path, int64_t classes);

/// The names of `path`; without one, classes.txt in the checkpoint's `folder`; without that COCO's
/// for 80 classes and none for other numbers.
std::vector<std::string> ClassNames(const std::string& path, const std::string& folder,
                                    int64_t classes);

}  // namespace vernier
